# cbablate on a CPU: docker build -t cbablate . && docker run --rm -v "$PWD:/work" cbablate --help
FROM python:3.12-slim
COPY pyproject.toml README.md LICENSE /src/
COPY cbablate /src/cbablate
RUN pip install --no-cache-dir torch torchvision --index-url https://download.pytorch.org/whl/cpu \
 && pip install --no-cache-dir /src && rm -rf /src
# Whoever the container runs as may write where libraries keep their files.
ENV HOME=/tmp
WORKDIR /work
ENTRYPOINT ["cbablate"]
CMD ["--help"]
