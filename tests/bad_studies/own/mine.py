"""A workload of somebody's own, whose config has no schema."""


def train(config, *, seed, budget, workdir):
    yield


def narrow(config, lr):
    yield


def silent(config, *, seed, budget, workdir):
    config["seed"] = seed


async def patient(config, *, seed, budget, workdir):
    yield
