"""One step of noisy descent, in a module beside the workload."""


def step(x, lr, noise):
    return x - lr * (2 * x + noise)
