"""An exception of the student's function: which mistake is behind it, from message and line."""

# ruff: noqa: E501
# (One line a sentence.)

from __future__ import annotations

import ast
import re

from .causes import picture_given
from .facts import text
from .language_errors import LANGUAGE_ERRORS
from .raised import Raised, globals_used
from .source import Text, read_text
from .step_errors import STEP_ERRORS
from .verdict import NO_GRADIENT, PART, Exercise, Finding

MANY = 3  # steps of the optimizer in one call: the observer makes no further ones


def error_finding(
    exercise: Exercise, facts: dict, failed: list[dict], some: bool | None
) -> Finding:
    """Name the mistake behind an exception, from its message and the student's line.

    `failed` holds the facts of all calls that raised; `some` is None if every call did, else
    whether any of the other calls was right.
    """
    line = facts.get("error_line")
    asked = [re.search(r"requested shape \D*(\d+)", text(f, "error_message")) for f in failed]
    raised = Raised(
        exercise,
        text(facts, "error_type", 60),
        text(facts, "error_message"),
        str(facts.get("error_message"))[-2000:],  # the last line of TensorFlow's is bad advice
        line if type(line) is int else None,
        text(facts, "error_text"),
        facts.get("error_here") == 1,
        tuple(text(facts, "names", 4000).split()),
        tuple(text(facts, "parameters").split()),
        tuple(text(facts, "data").split()),
        source if type(source := facts.get("source")) is str else "",
        facts.get("eager") != 0,
        some,
        tuple(match.group(1) for match in asked if match),
    )
    for recognised in KNOWN:
        if found := recognised(raised):
            return found
    told = re.sub(
        r"\s*(\[Op:\w+\])?\s*(name:\s*\w*)?\s*$", "", raised.message
    )  # of no use to a student
    says = f"{raised.kind}: {told}{raised.globals_used}"
    return raised.finding("error", 0, 0, says)


def stopped_finding(exercise: Exercise, facts: list[dict], steps: float = 0) -> Finding | None:
    """A call that took too long, too much, or MANY `steps` of the optimizer."""
    if steps > MANY:
        says = f"One call of {exercise.name} makes {steps:.0f} steps of the optimizer: it must make one, the loop comes later."
        return exercise.finding("several-steps", 0, 0, says)
    stopped = next((fact for fact in facts if text(fact, "stopped")), None)
    if stopped is None:
        return None
    code = text(stopped, "error_text")
    where = f"In line {stopped.get('error_line')}, `{code}`: " if code else ""
    if text(stopped, "stopped") == "memory":
        says = f"{where}one call takes more than a gigabyte of memory: is every entry combined with every other?"
        return exercise.finding("too-large", 0, 0, says)
    says = f"{where}{exercise.name} does not come to an end within seconds: is there a loop without end, or one over every position?"
    return exercise.finding("too-slow", 0, 0, says)


def _not_eager(r: Raised) -> Finding | None:
    if r.eager:
        return None
    says = "TensorFlow's eager execution is switched off in your notebook (tf.compat.v1.disable_eager_execution): delete that line and restart the kernel."
    return r.exercise.finding("not-eager", 0, 0, says)


def _not_written(r: Raised) -> Finding | None:
    if r.kind != "NotImplementedError" or not r.here or "NotImplementedError" not in r.code:
        return None
    if set(r.names) - {"NotImplementedError"}:
        says = f"{r.where}this line of the stub still stands above your code: delete it."
        return r.exercise.finding("stub-left", 0, 0, says)
    return r.exercise.finding("not-written", 0, 0, f"{r.exercise.name} is not written yet.")


def _endless(r: Raised) -> Finding | None:
    if r.kind != "RecursionError":
        return None
    says = f"{r.exercise.name} calls itself again and again, without end."
    return r.finding("endless", 0, 0, says)


def _numpy_method(r: Raised) -> Finding | None:
    if r.exercise.short != "total" or "has no attribute 'numpy'" not in r.message:
        return None
    says = ".numpy() takes the value out of TensorFlow, so no gradient flows back (and plain numbers have none): keep tensors."
    return r.finding("no-gradient", 1, NO_GRADIENT, says)


def _signature(r: Raised) -> Finding | None:
    called = r.line is not None or not re.search(r"positional|keyword|for signature", r.whole)
    if r.kind != "TypeError" or called:
        return None
    why = f" ({r.message})" if len(r.message) < 150 else ""
    says = f"{r.exercise.name} could not be called: leave the arguments in its def line as they were.{why}"
    return r.exercise.finding("signature", 1, 0, says)


def _arguments(r: Raised) -> Finding | None:
    count = re.search(r"(\w+)\(\) (takes|got|missing) .*argument", r.message)
    unknown = re.search(r"unexpected keyword argument '(\w+)'", r.message)
    if r.kind == "TypeError" and not count and unknown:
        says = f"no argument is called {unknown.group(1)} here: is it spelt otherwise (axis, keepdims, perm, transpose_b ...)?"
        return r.finding("arguments", 0, 0, says)
    if r.kind == "TypeError" and not count and "issing" in r.message and "argument" in r.message:
        return r.finding("arguments", 0, 0, "an argument is missing in this call.")
    if r.kind != "TypeError" or not count:
        return None
    says = f"{count.group(1)} is called with other arguments than its def line has ({r.message})."
    return r.finding("arguments", 0, 0, says)


def _index_hard_coded(r: Raised) -> Finding | None:
    if r.some is None and "list index" in r.message:
        says = "the index goes beyond the end of the list, which counts from 0: the last entry is [-1]."
        return r.finding("index", 1 if r.exercise.short == "content" else 0, 0, says)
    if r.some is None or r.kind != "IndexError":
        return None
    says = f"the index is right for lists of one length only ({r.message}): the content layer is the last one."
    return r.finding("index-hard-coded", 1, PART if r.some else 0, says)


def _used_instead(r: Raised) -> Finding | None:
    """Data of the notebook stand in the line that failed, where an argument should."""
    used = [name for name in r.data if re.search(rf"\b{re.escape(name)}\b", r.code)]
    if not used or r.exercise.short == "train" or not re.search("hape|ncompatible|size", r.whole):
        return None
    return r.finding("global", 0, 0, f"{r.message}.{globals_used(used)}")


def _beyond(r: Raised) -> Finding | None:
    beyond = re.search(r"slice index (-?\d+) of dimension (\d+) out of bounds", r.message)
    if not beyond:
        return None
    says = f"index {beyond.group(1)} goes beyond the end of axis {beyond.group(2)}: does a loop run over another size, or over a number in your code?"
    return r.finding("beyond", "dims", 0, says)


def _number_written(r: Raised) -> Finding | None:
    """A size that stands as a number in the line, and in every shape that was asked for."""
    written = [n for n in re.findall(r"(?<![\w.])\d+(?![\w.])", r.code) if int(n) > 4]
    wrong = [n for n in written if r.asked and all(int(size) % int(n) == 0 for size in r.asked)]
    if not wrong or len(r.asked) < 3:
        return None
    says = f"the size {wrong[0]} is written in the code (hard-coded), and it fails on other shapes: read it from the argument."
    return r.finding("dims-hard-coded", "dims", PART if r.some else 0, says)


def _dims_hard_coded(r: Raised) -> Finding | None:
    layers = r"Shapes of all inputs must match|ncompatible shapes: \[1,\d+,\d+,\d+\] vs\. \[1,"
    several = r.exercise.short == "content" and re.search(layers, r.message)  # or the whole list
    partly = r.some is not None and r.exercise.has_dims and not several
    if not partly and not (len(r.asked) > 2 and len(set(r.asked)) == 1):
        return None
    says = f"dimensions are hard-coded: it fails on other shapes ({r.kind}: {r.message}){r.globals_used}"
    return r.finding("dims-hard-coded", "dims", PART if r.some else 0, says)


def _reshaped(r: Raised) -> Finding | None:
    sizes = re.search(r"a tensor with (\d+) values, but the requested shape \D*(\d+)", r.message)
    if not sizes:
        return None
    says = f"reshape keeps all {sizes.group(1)} numbers, but your sizes ask for {sizes.group(2)}: are n_H, n_W and n_C read in the right order, each used once?{r.globals_used}"
    return r.finding("reshape", "dims", 0, says)


def _einsum(r: Raised) -> Finding | None:
    if "einsum" not in r.code.lower():
        return None
    rank = re.search(r"to have rank (\d) but got: (\d)", r.message)
    given = re.search(r"Got (\d+) inputs for equation .*expecting (\d+)", r.message)
    if given:
        says = f"your einsum has letters for {given.group(2)} tensors, but gets {given.group(1)}: name both factors behind it."
        return r.finding("einsum", 2, 0, says)
    two = re.search(r"Expected dimension (\d+) at axis \d .*got dimension (\d+)", r.message)
    if rank:
        says = f"your einsum has {rank.group(1)} letters for a tensor of {rank.group(2)} dimensions{_of_A(r)}."
        return r.finding("einsum", 2, 0, says)
    if two:
        says = f"in your einsum one letter stands for axes of two sizes, {two.group(1)} and {two.group(2)}: is it the axis that both factors share?"
        return r.finding("einsum", 2, 0, says)
    return None


def _permuted(r: Raised) -> Finding | None:
    two = re.search(r"transpose expects a vector of size (\d)\. But .* of size (\d)", r.message)
    if gone := re.search(r"(\d) is missing from \{([\d,]+)\}", r.message):
        says = f"the perm of your transpose names every axis once, counted from 0: {gone.group(1)} is missing from {gone.group(2).replace(',', ', ')}."
        return r.finding("perm", 2, 0, says)
    if not two:
        return None
    says = f"the perm of your transpose has {two.group(2)} numbers, but the tensor {two.group(1)} dimensions{_of_A(r)}."
    if two.group(1) == "2" and r.exercise.short == "style":
        says += " Is it unrolled already, in a line above, or is the other activation meant?"
    return r.finding("perm", 2, 0, says)


def _of_A(r: Raised) -> str:
    return ": A is a matrix, (n_C, n_H*n_W)" if r.exercise.short == "gram" else ""


def _unpack(r: Raised) -> Finding | None:
    if "to unpack" in r.message and r.exercise.short == "train":
        says = "the costs take the lists of activations, a_C, a_S and what vgg gives, as they are: is there an index, [0] or [-1], too many?"
        return r.finding("unpack", 0, 0, says)
    if "to unpack" in r.message and r.exercise.short == "gram":
        return r.finding("unpack", 2, 0, f"A has two sizes, (n_C, n_H*n_W) ({r.message}).")
    if "to unpack" not in r.message or not re.search(r"shape|size\(", r.code):
        return None
    if "expected 4, got 3" in r.message:
        says = "there are three sizes only: the axis of one picture was dropped before, by [0] or squeeze. Then read three, n_H, n_W, n_C, or keep the axis."
        return r.finding("batch-dropped", "dims", 0, says)
    sliced = re.search(r"\]\.shape|shape\[", r.code)
    if re.search("expected [34], got 2", r.message) and sliced:
        says = "there are two sizes only: an index or a slice has taken the others away. Read all four of a.shape."
        return r.finding("unpack", "dims", 0, says)
    if re.search("expected [34], got 2", r.message):
        says = "there are two sizes only: it is a matrix by now, for it was reshaped above. Read n_H, n_W and n_C before that."
        return r.finding("sizes-after-reshape", "dims", 0, says)
    says = f"the shape of an activation has four entries, 1, n_H, n_W, n_C: read all four ({r.message})."
    return r.finding("unpack", "dims", 0, says)


def _remembers(r: Raised) -> Finding | None:
    line = re.search(r"^\s*((?:global|nonlocal) .*)$", r.source, re.M)
    if not line or not re.search("hape|ncompatible", r.whole):
        return None
    says = f"`{line.group(1).strip()[:80]}`: the function remembers something from an earlier call, where the pictures had another size."
    return r.finding("remembers", 0, 0, says)


def _not_unrolled(r: Raised) -> Finding | None:
    shapes = re.findall(r"\[((?:\d+,){2,3}\d+)\]", r.message)
    product = r.exercise.short == "style" and re.search("matmul|gram|@|Mul", r.message + r.code)
    if not product or not shapes:
        return None
    says = f"the activation still has {shapes[0].count(',') + 1} dimensions, [{shapes[0]}]: unroll it to (n_C, n_H*n_W) first."
    return r.finding("not-unrolled", 2, 0, says)


def _both_transposed(r: Raised) -> bool:
    """Is there a product of two factors that are both transposed?"""
    read = read_text(r.source)
    for node in read.of(ast.Call, ast.BinOp):
        if isinstance(node, ast.BinOp):
            factors, flags = [node.left, node.right], {}
        else:
            factors, flags = node.args[:2], {k.arg: ast.unparse(k.value) for k in node.keywords}
        turned = [_is_transposed(read, factor) for factor in factors]
        for at, names in enumerate((("transpose_a", "adjoint_a"), ("transpose_b", "adjoint_b"))):
            if len(turned) == 2 and "True" in [flags.get(name) for name in names]:
                turned[at] = not turned[at]
        at_sign = isinstance(getattr(node, "op", None), ast.MatMult)
        product = at_sign or "matmul" in ast.unparse(getattr(node, "func", ast.Pass()))
        if product and turned == [True, True]:
            return True
    return False


def _is_transposed(read: Text, node: ast.AST, depth: int = 0) -> bool:
    """Is an expression, or what its name was made from, a transpose?"""
    if isinstance(node, ast.Name) and depth < 5:
        made = read.given(node)
        return len(made) == 1 and _is_transposed(read, made[0], depth + 1)
    name = ast.unparse(node.func).split(".")[-1] if isinstance(node, ast.Call) else ""
    if name in ("transpose", "matrix_transpose", "adjoint") and node.args:
        return not _is_transposed(read, node.args[0], depth + 1)
    return False


def _product(r: Raised) -> Finding | None:
    sizes = re.search(r"In\[0\]: \[(\d+),(\d+)\], In\[1\]: \[(\d+),(\d+)\]", r.message)
    inside = r"MatMul.*input shapes: \[(\d+),(\d+)\], \[(\d+),(\d+)\]"  # of tf.function
    sizes = sizes or re.search(inside, r.whole)
    if not sizes:
        return None
    a, b = sizes.groups()[:2], sizes.groups()[2:]
    shown = f"[{', '.join(a)}] by [{', '.join(b)}]"
    if _both_transposed(r):
        return r.finding("both-transposed", 2, 0, "both factors are transposed: only one must be.")
    if a == b:
        says = f"the matrix is multiplied by itself, {shown}: one of the two must be transposed."
        return r.finding("not-transposed", 2, 0, says)
    if a == b[::-1] and "transpose" in r.code:
        says = f"one of the two is transposed twice: {shown} would fit as they are, so tf.transpose and transpose_b=True are one too many."
        return r.finding("transposed-twice", 2, 0, says)
    says = f"the sizes do not fit, {shown}: print the shapes of both factors."
    return r.finding("sizes", 2, 0, says)


def _no_matrix(r: Raised) -> Finding | None:
    """@ or matmul of numbers."""
    scalar = r"ndims must be >= 2|must be at least rank 2|Shape must be (at least )?rank 2"
    at = re.search(r"unsupported operand type\(s\) for @", r.message)
    numbers = r.exercise.short == "total" and re.search(r"matmul|@", r.code)
    if (
        not at
        and not numbers
        and not (re.search(scalar, r.whole) and re.search("MatMul|matmul", r.whole))
    ):
        return None
    says = "@ and tf.matmul are the product of matrices, and one of the two is none."
    if r.exercise.short in ("total", "train"):
        says = "@ and tf.matmul are the product of matrices: numbers are multiplied with *."
    return r.finding("no-matrix", 0, 0, says)


def _axis(r: Raised) -> Finding | None:
    """An axis, or an index, that the tensor does not have."""
    axis = re.search(r"Invalid reduction dimension \(?(-?\d+) for input with (\d+)", r.message)
    index = re.search(r"Index out of range using input dim (\d+); input has only (\d+)", r.message)
    if not axis and not index:
        return None
    number, rank = (axis or index).groups()
    says = f"there is no axis {number}: the tensor has {rank} dimensions, counted from 0. Print its shape."
    return r.finding("axis", "dims", 0, says)


def _shapes(r: Raised) -> Finding | None:
    two = re.search(
        r"(?:Incompatible shapes|Dimensions must be equal).*?(\[[\d,]+\]) vs\.? (\[[\d,]+\])",
        r.message,
    )
    inside = r"Dimensions must be equal.*input shapes: (\[[\d,]+\]), (\[[\d,]+\])"
    two = two or re.search(inside, r.whole)
    if not two and "ConcatOp" in r.whole:
        says = "concat puts tensors one behind the other, and their sizes do not fit: a product of matrices is @ or tf.matmul."
        return r.finding("shapes", 2, 0, says)
    if not two:
        return None
    if r.exercise.short == "train" and (told := picture_given(r.source)):
        return r.exercise.finding("picture-given", 2, 0, told)
    says = f"the shapes {two.group(1)} and {two.group(2)} do not fit."
    if r.exercise.short == "content":
        says += " Are both activations those of the same layer, the last one?" + r.globals_used
    if "Mul" in r.message and r.exercise.short in ("gram", "style"):
        says = f"* multiplies entry by entry, and the shapes {two.group(1)} and {two.group(2)} do not fit: the matrix product is @ or tf.matmul."
    if "Add" in r.message and r.exercise.short == "gram":
        says = f"+ adds entry by entry, and the shapes {two.group(1)} and {two.group(2)} do not fit: the matrix product is @ or tf.matmul."
    return r.finding("shapes", 2, 0, says)


DTYPES = {"half": "float16", "float": "float32", "double": "float64"}  # TensorFlow has two names
TWO_DTYPES = (  # the words of TensorFlow, directly and inside tf.function
    r"got tf\.(\w+) != tf\.(\w+)",
    r"to be an? (\w+) tensor but is an? (\w+) tensor",
    r"requested dtype (\w+) for Tensor with dtype (\w+)",
    r"has type (\w+) that does not match type (\w+)",
    r"have types \[(\w+), (?:\1, )*(\w+)",
)
A_NUMBER = (  # a number of Python's, and the dtype that it does not fit
    r"Cannot convert (?P<number>\S+) to EagerTensor of dtype (?P<dtype>\w+)",
    r"Expected (?P<dtype>\w+), but got (?P<number>\S+) of type",
)


def _dtypes(r: Raised) -> Finding | None:
    two = next((found for p in TWO_DTYPES if (found := re.search(p, r.whole))), None)
    one = next((found for p in A_NUMBER if (found := re.search(p, r.whole))), None)
    if one and re.fullmatch(r"-?[\d.]+(e[+-]?\d+)?", one["number"]) and "int" in one["dtype"]:
        met = f"{_kind(one['dtype'])} meets {float(one['number']):.4g}, a decimal number"
        return r.finding("dtypes", 0, 0, met + _ONE_DTYPE)
    if not two:
        return _not_for_this_dtype(r)
    one, other = (DTYPES.get(name, name) for name in two.groups())
    if "assign" in r.code:
        says = (
            f"generated_image holds {one}, but what is assigned is {other}: keep {one} throughout."
        )
        return r.finding("dtypes", 5, 0, says)
    if ("int" in one) != ("int" in other):
        return r.finding("dtypes", 0, 0, f"{_kind(one)} meets {_kind(other)}{_ONE_DTYPE}")
    says = f"{one} meets {other}, and TensorFlow wants one dtype: tf.cast(..., tf.float32), or read sizes from a.shape."
    return r.finding("dtypes", 0, 0, says)


_ONE_DTYPE = ", and TensorFlow wants one dtype: leave int(...) and tf.int32 out, or use tf.cast(..., tf.float32). Sizes from a.shape are plain numbers, which fit both."


def _kind(dtype: str) -> str:
    """ "a whole number (int32)" """
    if dtype == "bool":
        return "a truth (bool)"
    return f"a {'whole' if 'int' in dtype else 'decimal'} number ({dtype})"


def _not_for_this_dtype(r: Raised) -> Finding | None:
    """A root of whole numbers, a sum of truths."""
    taken = r"(?:Value for attr '\w+' of|has DataType) (u?int\d+|bool)(?: is)? not in (?:the )?list of allowed"
    found = re.search(taken, r.whole)
    if not found:
        return None
    kind = _kind(found[1])[2:].replace(" (", "s (")
    says = f"this operation does not take {kind}: use tf.cast(..., tf.float32) first."
    return r.finding("dtypes", 0, 0, says)


def _own_assert(r: Raised) -> Finding | None:
    if r.kind != "AssertionError" or not r.here:
        return None
    says = "your own assert does not hold: the checkpoint tries other sizes and numbers."
    return r.finding("own-assert", 0, 0, says)


def _none(r: Raised) -> Finding | None:
    if not re.search(r"value \(None\)|NoneType|None values not supported", r.message):
        return None
    if r.exercise.short == "train" and "gradient" in r.code:
        return None
    says = "there is a None where a tensor should be: is a None left in your code, or does a function that it calls return nothing?"
    return r.finding("none", 0, 0, says)


KNOWN = (  # the first that fits is taken
    _not_eager,
    _not_written,
    _endless,
    _numpy_method,
    _signature,
    _no_matrix,
    _dtypes,
    *STEP_ERRORS,
    _arguments,
    _index_hard_coded,
    _remembers,
    _used_instead,
    _beyond,
    _number_written,
    _einsum,
    _permuted,
    _unpack,
    _dims_hard_coded,
    _reshaped,
    *LANGUAGE_ERRORS,
    _not_unrolled,
    _product,
    _axis,
    _shapes,
    _own_assert,
    _none,
)
