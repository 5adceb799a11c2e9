"""Causes that show in the student's text, where the numbers show the effect alone.

It is read only after something was found wrong: a cause is added to that sentence, or takes its
place where it explains all of it.
"""

# ruff: noqa: E501
# (One line a sentence.)

from __future__ import annotations

import ast
import re
from collections.abc import Callable

from .source import LIBRARIES, Text, read_text, text_of
from .verdict import PART, Exercise, Finding

NOT_FOR_A_RESULT = ("print", "debugging", "config", "summary", "random", "assert", "Assert", "info")
SUMS = re.compile(
    r"reduce_|square|sum|mean|l2_loss|\*\*|norm|_cost|matmul|tensordot|einsum|outer|@"
)
OTHER_LOSSES = re.compile(
    r"\w*(?:[cC]osine|[cC]rossentropy|kl_divergence|KLDivergence|[pP]oisson|[hH]inge|[hH]uber|log_cosh"
    r"|LogCosh|[mM]ean_?[aA]bsolute|[lL]ogarithmic|ssim|psnr|triplet)\w*"
)
FOREIGN = re.compile(  # operations that the formulas, and a step, do not have
    r"\b(avg_pool\w*|max_pool\w*|AveragePooling\w*|MaxPool\w*|resize\w*|sort|argsort|top_k|unique|cumsum|flip\w*"
    r"|roll|reverse|rot90|conv\w*|\w*normali[sz]e\w*|softmax|sigmoid|tanh|dropout|one_hot|linspace|round|floor|ceil|rint"
    r"|trunc|eigh|eigvalsh|eigvals|svd|det|inv|pinv|exp|log|log1p|sin|cos|argmax|sign|boolean_mask|where|adjust_\w+"
    r"|per_image_standardization|rgb_to_grayscale|random_\w+|blur\w*)\("
)
ROLES = {"height": "H", "width": "W", "channels": "C"}  # besides n_H, n_W, n_C


def with_cause(exercise: Exercise, fact: dict, found: Finding) -> Finding:
    """The finding with what the student's text tells of its cause, if it tells anything."""
    try:
        return _with_cause(exercise, text_of(fact), found)
    except RecursionError:  # from a text that is nested on purpose
        return found


def _with_cause(exercise: Exercise, read: Text, found: Finding) -> Finding:
    if not read.function or re.search(r"-(remembers|random|malformed)$", found.id):
        return found
    if line := _overwritten(read, exercise.short):
        says = f"In `{line}`: = gives the name another value in each turn of the loop, so the last turn alone counts. Is += meant?"
        return exercise.finding("overwritten", 0, PART if "+" in found.id else found.credit, says)
    causes = (cause for kinds, cause in CAUSES if re.search(kinds, f"{exercise.short} {found.id}"))
    says = next((says for cause in causes if (says := cause(read))), "")
    if not says or says in found.says:
        return found
    if found.id.endswith("dims-misread") and "another order" in says:
        return Finding(found.id, found.hint, found.credit, says)
    if found.id == f"{exercise.short}-wrong-value" and not says.endswith("in its place?"):
        return Finding(f"{exercise.short}-cause", found.hint, found.credit, says)
    return Finding(found.id, found.hint, found.credit, f"{found.says} {says}")


def _overwritten(read: Text, short: str) -> str:
    """A name that each turn of a loop sets anew, from nothing that it held, and that is read after it."""
    for loop in read.of(ast.For, ast.While):
        over = ast.unparse(getattr(loop, "iter", loop.body[0]))
        if short == "content" and (not re.search(r"\brange\(", over) or "len(" in over):
            continue  # over the layers, of which the last one is right
        inside = [node for statement in loop.body for node in ast.walk(statement)]
        read_inside = {n.id for n in inside if isinstance(n, ast.Name) and type(n.ctx) is ast.Load}
        begun = {
            name.id
            for node in read.of(ast.Assign)
            if node.lineno < loop.lineno and _is_nothing(node.value)
            for name in node.targets
            if isinstance(name, ast.Name)
        }
        for node in [n for n in loop.body if isinstance(n, ast.Assign)]:
            names = {t.id for t in node.targets if isinstance(t, ast.Name)}
            sums = SUMS.search(ast.unparse(node.value))
            if names & begun and not names & read_inside and names & read.reads and sums:
                return read.line(node)
    return ""


def _is_nothing(node: ast.AST) -> bool:
    """0, 0.0, tf.zeros(...), tf.constant(0.0): what a sum begins with."""
    if isinstance(node, ast.Call):
        return bool(re.search(r"zeros|constant\(0|Variable\(0|cast\(0", ast.unparse(node)))
    return isinstance(node, ast.Constant) and node.value in (0, None)


def _goes_nowhere(read: Text) -> str:
    """A result of TensorFlow, or a sum, that stands alone in its line."""
    for node in read.of(ast.Expr):
        value = node.value
        if isinstance(value, (ast.UnaryOp, ast.BinOp)):
            return f"`{read.line(node)}` is a line of its own, and its result goes nowhere: is it the rest of the line above? Put brackets round both."
        if not isinstance(value, ast.Call):
            continue
        called = ast.unparse(value.func).split(".")
        if called[0] in LIBRARIES and len(called) > 1 and not {*called} & {*NOT_FOR_A_RESULT}:
            return f"In `{read.line(node)}`: the result goes nowhere, for a tensor is never changed in place. Give it a name: x = {'.'.join(called)}(...)."
    return ""


def _never_run(read: Text) -> str:
    """What stands after a return in the same block."""
    for block in read.blocks():
        for at, statement in enumerate(block[:-1]):
            if isinstance(statement, ast.Return):
                rest = block[at + 1]
                says = f"`{read.line(rest)}` stands after the return and is never run"
                value = getattr(rest, "value", None)
                if isinstance(rest, ast.Expr) and isinstance(value, (ast.UnaryOp, ast.BinOp)):
                    return f"{says}: put brackets round both lines of the sum."
                return f"{says}."
    return ""


def _returns_in_loop(read: Text) -> str:
    for loop in read.of(ast.For, ast.While):
        for statement in loop.body:
            if isinstance(statement, ast.Return):
                return f"`{read.line(statement)}` stands inside the loop, which so ends in its first turn: indent it less."
    return ""


def _method_set(read: Text) -> str:
    """`image.assign = ...`"""
    for node in read.of(ast.Attribute):
        if isinstance(node.ctx, ast.Store) and node.attr in ("assign", "assign_add", "assign_sub"):
            return f"In `{read.line(node)}`: = replaces {node.attr} instead of calling it. Write .{node.attr}(...)."
    return ""


def _never_used(read: Text) -> str:
    """A computed name that nothing reads."""
    for node in read.of(ast.Assign):
        name = node.targets[0]
        if not isinstance(name, ast.Name) or name.id in read.reads or name.id.startswith("_"):
            continue
        if isinstance(node.value, (ast.Call, ast.BinOp)) and ".shape" not in ast.unparse(
            node.value
        ):
            return f"{name.id}, from `{read.line(node)}`, is not used anywhere: is it forgotten, or another name used in its place?"
    return ""


def _role(name: str) -> str:
    """H, W or C for n_H, height, W2, channels ...; "" for another name."""
    for word, role in ROLES.items():
        if word.startswith(name.lower()) and len(name) > 2:
            return role
    found = re.fullmatch(r"(?:n_?|num_?)?([hwc])\d?", name.lower())
    return found.group(1).upper() if found else ""


def _sizes_misread(read: Text) -> str:
    """n_H, n_W, n_C taken from other places of the shape of an activation than they stand at."""
    for node in read.of(ast.Assign):
        value, target = ast.unparse(node.value), node.targets[0]
        if not isinstance(target, ast.Tuple) or not re.search(r"shape\b|tf\.shape\(", value):
            continue
        roles = [_role(t.id) if isinstance(t, ast.Name) else "" for t in target.elts]
        if "transpose" in value or "C" not in roles or len(roles) not in (3, 4):
            continue
        if len(roles) == 3 and not re.search(r"\[1:(4)?\]$", value):
            continue
        if roles.index("C") != len(roles) - 1 or (len(roles) == 4 and roles[0]):
            return f"In `{read.line(node)}`: the sizes are read in another order than the shape has them, (1, n_H, n_W, n_C)."
    return _size_of_another_axis(read)


def _size_of_another_axis(read: Text) -> str:
    """`n_C = a_G.shape[1]`"""
    places = {"H": (1, -3), "W": (2, -2), "C": (3, -1)}
    given = set(read.parameters) - read.writes
    for node in read.of(ast.Assign):
        target, value = node.targets[0], ast.unparse(node.value)
        at = re.fullmatch(r"(?:int\()?(\w+)(?:\[-1\])?\.shape\[(-?\d)\]\)?", value)
        if isinstance(target, ast.Name) and at and at.group(1) in given:
            role = _role(target.id)
            if role and int(at.group(2)) not in places[role]:
                return f"In `{read.line(node)}`: the shape is (1, n_H, n_W, n_C), counted from 0."
    return ""


def _halves(read: Text) -> str:
    if "l2_loss" not in read.source:
        return ""
    return "tf.nn.l2_loss gives half of the sum of squares already: mind that in the factor."


def _not_called(read: Text) -> str:
    """A method or function that stands alone in its line, without brackets."""
    for node in read.of(ast.Expr):
        if isinstance(node.value, ast.Attribute):
            return f"`{read.line(node)}` stands there without its brackets (): it is not called."
    return ""


def _equals_plus(read: Text) -> str:
    """`J =+ x`, and `J =- x`."""
    line = re.search(r"^\s*(\w+\s*=(?:\+\s*|-\s+)[\w(].*)$", read.source, re.M)
    if not line:
        return ""
    return f"In `{line.group(1).strip()[:80]}`: =+ and =- set the name anew. Write += or -=."


def _another_loss(read: Text) -> str:
    for node in read.of(ast.Call):
        if found := OTHER_LOSSES.search(ast.unparse(node.func)):
            return f"In `{read.line(node)}`: {found.group()} is another loss than the sum of squared differences."
    return ""


def _foreign(read: Text) -> str:
    """An operation that the formula does not have."""
    body = [ast.unparse(statement) for statement in read.function.body]
    found = FOREIGN.search("\n".join(body))
    if not found:
        return ""
    lines = [line.strip()[:80] for line in read.lines[1:] if found.group() in line]
    where = f"In `{lines[0]}`: " if lines else ""
    return f"{where}what is {found.group(1)} for? It is not in the formula: leave it out."


def _gradient_changed(read: Text) -> str:
    """The gradient is computed with before it is applied."""
    gradients = {
        name.id
        for node in read.of(ast.Assign)
        if ".gradient(" in ast.unparse(node.value)
        for name in ast.walk(node.targets[0])
        if isinstance(name, ast.Name)
    }
    for node in read.of(ast.Assign, ast.AugAssign):
        named = {n.id for n in ast.walk(node.value) if isinstance(n, ast.Name)}
        plain = isinstance(node.value, (ast.Name, ast.Subscript, ast.List, ast.Tuple))
        applied = re.search(
            r"apply|gradient\(|zip\(|isfinite|norm\(\w+\)$", ast.unparse(node.value)
        )
        if isinstance(node, ast.AugAssign) and ast.unparse(node.target) in gradients:
            return f"In `{read.line(node)}`: the gradient is changed. Apply it as it is."
        if named & gradients and not plain and not applied:
            return f"In `{read.line(node)}`: the gradient is changed. Apply it as it is."
    return ""


def _other_assigned(read: Text) -> str:
    """Something else than the clipped pixels is assigned to the image."""
    for node in read.of(ast.Call):
        called = node.func
        if isinstance(called, ast.Attribute) and called.attr in (
            "assign",
            "assign_add",
            "assign_sub",
        ):
            given = ast.unparse(node.args[0]) if node.args else ""
            clipped = (
                re.match(r"(\w+\.)*(clip\w*|minimum|maximum)\(", given) or given.isidentifier()
            )
            if called.attr != "assign" or not clipped:
                return f"In `{read.line(node)}`: are these the clipped pixels, and nothing else?"
    return ""


def _no_gram(read: Text) -> str:
    """A style cost in which nothing is multiplied with itself."""
    if re.search(r"moments|reduce_std|reduce_variance|\.std\(|\.var\(", read.source):
        return "Means, variances or standard deviations are compared: compare the Gram matrices of both, which gram_matrix gives."
    known = {
        "range",
        "len",
        "int",
        "float",
        "sum",
        "zip",
        "enumerate",
        "print",
        "abs",
        "min",
        "max",
    }
    names = {n.func.id for n in read.of(ast.Call) if isinstance(n.func, ast.Name)}
    body = "\n".join(ast.unparse(statement) for statement in read.function.body)
    if re.search(r"@|matmul|einsum|tensordot|\.dot\(|gram", body) or names - known:
        return ""
    return "There is no Gram matrix in it: gram_matrix is never called."


def _picture_for_activations(read: Text) -> str:
    """A cost that is given a picture, or a list with one."""
    pictures = {*read.parameters[:1], "C", "S", "G"} - (read.writes - {*read.parameters})
    for call in read.of(ast.Call):
        name = ast.unparse(call.func)
        if name not in ("compute_content_cost", "compute_style_cost", "compute_layer_style_cost"):
            continue
        for given in call.args:
            one = given.elts[0] if isinstance(given, ast.List) and given.elts else given
            if isinstance(one, ast.Name) and one.id in pictures:
                return f"In `{read.line(call)}`: {one.id} is a picture, but {name} compares activations: a_C, a_S, and what vgg gives for {read.parameters[0]}."
    return ""


def _index_given(read: Text) -> str:
    """`compute_style_cost(a_S[0], a_G[0])`"""
    for call in read.of(ast.Call):
        name = ast.unparse(call.func)
        entries = [a for a in call.args if isinstance(a, ast.Subscript)]
        one = [a for a in entries if not isinstance(a.slice, ast.Slice)]
        if name in ("compute_content_cost", "compute_style_cost") and one:
            return f"In `{read.line(call)}`: {name} takes the lists as they are, without an index."
    return ""


def picture_given(source: str) -> str:
    """A sentence about a picture in the place of activations, "" if there is none."""
    return _picture_for_activations(read_text(source))


def another_network(source: str) -> str:
    """A sentence about a network that is made inside the step, "" if there is none."""
    line = re.search(r"^\s*(.*\b(?:load_(?:vgg19|model)|VGG1[69])\(.*)$", source, re.M)
    if not line:
        return ""
    return f"In `{line.group(1).strip()[:80]}`: another network is made in every step. Use vgg, the argument."


CAUSES: tuple[tuple[str, Callable[[Text], str]], ...] = (  # finding -> its cause, the surest first
    (r"^train", lambda read: another_network(read.source)),
    (r"^", _method_set),
    (r"^", _never_run),
    (r"^(?!.*no-return)", _goes_nowhere),
    (r"^", _not_called),
    (r"^", _equals_plus),
    (r"^", _returns_in_loop),
    (r"^train", _picture_for_activations),
    (r"^train", _index_given),
    (r"^(content|style)", _sizes_misread),
    (r"(factor|half|quarter|weighted)$", _halves),
    (r"^style.*-(wrong-value|factor|means)", _no_gram),
    (r"-(wrong-value|nan)$", _another_loss),
    (r"train-pixels", _gradient_changed),
    (r"train-pixels", _other_assigned),
    (r"-(wrong-value|nan|wrong-shape|pixels)$", _foreign),
    (r"^(?!.*no-return)", _never_used),
)
