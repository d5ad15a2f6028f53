"""Which word means what: the names that courses and libraries give to the same few things.

A name is compared in lower case and without underscores, so `running_mean`, `runningMean` and `RunningMean` are one.
"""

import functools
import re

ROLES: dict[str, tuple[str, ...]] = {
    "x": ("x", "z", "input", "inputs", "data", "xs", "xin", "batch", "features", "h", "a", "inp", "xbatch", "tensor"),
    "gamma": ("gamma", "gammas", "g", "scale", "weight", "w", "bw", "gam", "scaler", "gain", "weights"),
    "beta": ("beta", "betas", "biais", "sesgo", "b", "bias", "shift", "offset", "bb", "bet", "intercept"),
    "eps": ("eps", "epsilon", "e", "varepsilon", "varianceepsilon", "bneps", "delta"),
    "momentum": ("momentum", "alpha", "decay", "m", "rho", "mom", "bnmomentum", "emadecay", "averagedecay"),
    "running_mean": (
        "runningmean", "movingmean", "runmean", "runningm", "ramean", "movingaveragemean", "populationmean", "popmean",
        "meanrunning", "runningmu", "movingmu", "emamean", "meanema", "avgmean", "globalmean", "rmean", "testmean",
        "runningavgmean", "runningaverage", "meanmoving", "movingavgmean", "rm", "murunning", "mumean",
        "murun", "meanrun", "runmu", "muavg", "meanavg", "mumoving", "expavgmean", "ewamean", "ewamu", "ewmamean", "meanewa", "muewa", "meanewma", "muema", "runavgmean",
    ),
    "running_var": (
        "runningvar", "movingvar", "runvar", "runningv", "ravar", "movingvariance", "runningvariance", "populationvar",
        "popvar", "varrunning", "movingaveragevar", "emavar", "varema", "avgvar", "globalvar", "rvar", "testvar",
        "populationvariance", "runningavgvar", "varmoving", "movingavgvar", "rv", "runningsigma2", "movingsigma2",
        "varrun", "sigma2run", "runsigma2", "runningsigmasq", "varavg", "sigma2avg", "sigma2moving", "expavgvar", "ewavar", "ewasigma2", "ewmavar", "varewa", "sigma2ewa", "varewma", "sigma2ema", "runavgvar", "sigma2running",
    ),
    "train": ("training", "train", "istraining", "istrain", "trainmode", "trainingmode", "isintraining", "trainflg", "trainflag", "intraining", "ontrain", "traning"),
    "eval": (
        "eval", "test", "istest", "inference", "userunningaverage", "userunningstats", "testing", "iseval", "evalmode",
        "testmode", "istesting", "isinference", "useglobalstats", "userunningstatistics", "infer", "predict", "testflag", "evalflag",
    ),
    "mode": ("mode", "phase", "stage"),
    "settings": (
        "bnparam", "bnparams", "lnparam", "gnparam", "param", "params", "config", "settings", "bnconfig", "options",
        "inparam", "lnparams", "gnparams", "bnsettings", "hyperparams", "cfg", "conf", "rmsparam", "normparam", "opts",
    ),
    "groups": ("groups", "numgroups", "ngroups", "group", "g"),
    "dy": (
        "dy", "dout", "grad", "gradoutput", "gradoutputs", "delta", "upstream", "dl", "dz", "dldy", "dldbz", "dldbn",
        "dldout", "doutput", "outgrad", "gradout", "dlout", "dloss", "dldz", "gradients", "upstreamgrad", "dupstream",
        "g", "gradient", "douts", "ct", "cotangent", "cot", "gout", "gz", "dzt", "dztilde", "ddy", "ybar", "dyhat", "dlda", "outputgrad", "error", "dlbn", "dl_dy", "dldo", "gradinput", "gy", "dh", "da",
    ),
    "cache": ("cache", "caches", "saved", "ctx", "context", "memory", "stored", "cached", "bncache", "tape", "state", "res", "residuals", "saves", "vals"),
    "features": (
        "numfeatures", "nfeatures", "features", "channels", "numchannels", "nchannels", "c", "dim", "size", "indim",
        "infeatures", "d", "n", "hiddensize", "inputdim", "inputsize", "inputshape", "normalizedshape", "shape",
        "nout", "inchannels", "nin", "nf", "numfeature", "numneurons", "units", "dims", "outdim", "layersize", "ndim",
        "hiddendim", "nfeature", "featuredim", "f", "ninputs", "inputchannels", "embeddim", "dmodel", "featurenum",
    ),
    "dims": ("numdims", "ndims", "dimensions"),
}  # fmt: skip
"""Names of each role, the commonest first."""

MEASURED: dict[str, tuple[str, ...]] = {
    "mean": ("mean", "mu", "m", "batchmean", "samplemean", "xmean", "avg", "average"),
    "var": ("var", "variance", "v", "batchvar", "samplevar", "xvar", "sigma2", "sigmasq", "sigmasquared"),
    "std": ("std", "sigma", "stddev", "sqrtvar", "samplestd", "batchstd", "sd"),
    "inv_std": ("invstd", "ivar", "istd", "invvar", "rstd", "stdinv", "varinv", "invsqrtvar"),
    "x_hat": (
        "xhat",
        "raw",
        "xnorm",
        "xnormalized",
        "normalized",
        "xn",
        "xnormed",
        "norm",
        "nz",
        "normx",
        "zhat",
        "znorm",
    ),
    "centered": ("centered", "xmu", "xcentered", "xminusmean", "xc", "deviations", "diff", "xcenter", "devs"),
}
"""What a backward pass may ask for by name in the place of one cache."""

_MOVING = "mov|moving|movavg|run|running|ema|ewa|ewma|exp|global|pop|acum|accum|track|smooth|stored|hidden|inference|test|eval"
_MEAN, _VAR = "mean|mu|media|moyenne|mittel", "var|variance|sigma2|sigmasq|varianza|varianz"
MOVING_STATISTIC = re.compile(
    rf"(?:{_MOVING})(?:(?P<mean>{_MEAN})|(?:{_VAR}))|(?:(?P<first>{_MEAN})|(?:{_VAR}))(?:{_MOVING})"
)
"""Other words for the running statistics: one that says that they move, and one that says of what."""

TRAIN_WORDS = ("train", "training", "TRAIN", "Train")
EVAL_WORDS = ("test", "eval", "inference", "infer", "predict", "val", "valid", "testing", "evaluation", "TEST", "Test")


@functools.lru_cache(maxsize=4096)
def plain(name: str) -> str:
    """Return the name in lower case, without underscores."""
    return name.replace("_", "").lower()


@functools.lru_cache(maxsize=4096)
def role_of(name: str, among: tuple[str, ...]) -> str | None:
    """Tell which of these roles a name has, or None.

    Examples
    --------
    >>> role_of("movingMean", ("running_mean", "running_var"))
    'running_mean'
    """
    for word in (plain(name), plain(name).removeprefix("bn")):
        for role in among:
            if word in ROLES.get(role, ()) or word in MEASURED.get(role, ()):
                return role
    found = MOVING_STATISTIC.fullmatch(plain(name))
    if found is None:
        return None
    statistic = "running_mean" if found["mean"] or found["first"] else "running_var"
    return statistic if statistic in among else None


PREFIXES = ("dld", "dl", "gradient", "grad", "d", "g")
SUFFIXES = ("gradient", "grad")


@functools.lru_cache(maxsize=4096)
def gradient_of(name: str) -> str | None:
    """Tell of which of gamma and beta a name is the gradient, or None.

    Examples
    --------
    >>> gradient_of("dLdBW"), gradient_of("grad_beta"), gradient_of("gamma")
    ('gamma', 'beta', None)
    """
    word = plain(name)
    inner = [word[len(prefix) :] for prefix in PREFIXES if word.startswith(prefix)]
    inner += [word[: -len(suffix)] for suffix in SUFFIXES if word.endswith(suffix)]
    for role in ("gamma", "beta"):
        if word not in ROLES[role] and any(one in ROLES[role] for one in inner):
            return role
    return None


KINDS = {
    "batch": r"batch_?norm|(?:^|_)bn(?:_|\d|$)|normali[sz]e_?batch|^bn",
    "layer": r"layer_?norm|(?:^|_)ln(?:_|\d|$)",
    "group": r"group_?norm|(?:^|_)gn(?:_|\d|$)",
    "instance": r"instance_?norm|(?:^|_)in(?:_norm)(?:_|\d|$)",
    "rms": r"rms_?norm|(?:^|_)rms(?:_|\d|$)",
}
"""What a name says of the normalization."""
MAPS = re.compile(r"spatial|2d|conv|maps|4d|nchw|nhwc|images?(?:_|$)", re.I)
BACKWARD = re.compile(
    r"backward|backprop|arriere|atras|rueckwaerts|indietro|bprop|_bwd|bwd_|_back\b|_grad\b|^grad_|gradient|deriv|vjp|^grads?$|_grads\b|^pullback|_pullback",
    re.I,
)
INFERENCE = re.compile(r"inference|infer\b|_test\b|_eval\b|predict|evaluat", re.I)
UPDATE = re.compile(r"update|running|moving|ema", re.I)


def kind_of(name: str) -> str | None:
    """Tell which normalization a name speaks of, or None.

    Examples
    --------
    >>> kind_of("spatial_groupnorm_forward"), kind_of("BatchNorm1d"), kind_of("affine_forward")
    ('group', 'batch', None)
    """
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)
    for kind in ("group", "instance", "layer", "rms", "batch"):
        if re.search(KINDS[kind], snake, re.I) or re.search(KINDS[kind], name, re.I):
            return kind
    return None
