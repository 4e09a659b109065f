"""State dicts as rl_games writes them, with random weights of small networks."""

import torch

N, M, UNITS, HIDDEN = 28, 6, 12, (16, 8)


def rl_games_state(*, lstm="", layers=2, layer_norm=True, joined=True):
    """State dict of rl_games' A2C network; ``lstm`` is first, last or empty."""
    torch.manual_seed(1)
    first, out = N, HIDDEN[-1]
    state = {}
    if lstm:
        inputs = N if lstm == "first" else HIDDEN[-1] + N * joined
        rnn = torch.nn.LSTM(inputs, UNITS, layers)
        state |= {f"a2c_network.rnn.rnn.{name}": value.detach() for name, value in rnn.named_parameters()}
        if layer_norm:
            state |= {"a2c_network.layer_norm.weight": 1 + torch.rand(UNITS)}
            state |= {"a2c_network.layer_norm.bias": torch.rand(UNITS)}
        first, out = (UNITS + N * joined, out) if lstm == "first" else (N, UNITS)
    for index, (wide, narrow) in enumerate(((first, HIDDEN[0]), (HIDDEN[0], HIDDEN[1]))):
        state[f"a2c_network.actor_mlp.{2 * index}.weight"] = torch.randn(narrow, wide) / 4
        state[f"a2c_network.actor_mlp.{2 * index}.bias"] = torch.randn(narrow)
    state |= {"a2c_network.mu.weight": torch.randn(M, out), "a2c_network.mu.bias": torch.randn(M)}
    state |= {"a2c_network.value.weight": torch.randn(1, out), "a2c_network.value.bias": torch.randn(1)}
    state |= {"a2c_network.sigma": torch.zeros(M)}
    state |= {"running_mean_std.running_mean": torch.randn(N, dtype=torch.float64)}
    state |= {"running_mean_std.running_var": 0.1 + torch.rand(N, dtype=torch.float64)}
    state |= {"running_mean_std.count": torch.ones((), dtype=torch.float64)}
    state |= {"value_mean_std.running_mean": torch.zeros(1, dtype=torch.float64)}
    return state
