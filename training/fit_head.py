"""The last convolution of a network by least squares: what training would reach in the end for the body as it is.

For a new scale or task the body of another model is kept; fitting the head takes seconds instead of minutes of training.
"""
import torch
import torch.nn.functional as F

from .model import Routing


def fit_head(net, patches, count, batch=8, ridge=1e-6):
    """Replace weight and bias of the head (direct or restoration) by those with the least squared error on `count`
    batches of patches. Uses what a teacher made where there is one."""
    s = net.cfg['upscale']
    conv = net.upsample[0] if net.cfg['upsampler'] == 'pixelshuffledirect' else net.conv_last
    seen = []
    hook = conv.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    inputs = 9 * conv.in_channels + 1
    gram = torch.zeros(inputs, inputs, dtype=torch.float64)
    product = torch.zeros(inputs, conv.out_channels, dtype=torch.float64)
    device = conv.weight.device
    with torch.no_grad():
        for step in range(count):
            source, *targets = patches.batch(2 ** 40 + step, batch, device)
            routing = Routing('random', generator=torch.Generator().manual_seed(step))
            missing = F.pixel_unshuffle(targets[-1] - net(source, routing), s)  # what the head does not give yet
            x = F.unfold(seen.pop(), 3, padding=1).transpose(1, 2).reshape(-1, inputs - 1)
            x = torch.cat([x, torch.ones(len(x), 1, device=device)], 1)
            y = missing.permute(0, 2, 3, 1).reshape(len(x), -1)
            gram += (x.T @ x).double().cpu()
            product += (x.T @ y).double().cpu()
        hook.remove()
        gram.diagonal().add_(ridge * gram.diagonal().mean())
        change = torch.linalg.solve(gram, product).float().to(device)
        conv.weight += change[:-1].T.reshape(conv.weight.shape)
        conv.bias += change[-1]
