"""Exceptions are told in a sentence, with the student's own line."""

from __future__ import annotations

import pytest
from mistakes import answer
from trials import fresh, judge_wrong

import checkpoints

RAW = ("_unique_id", "_id'", "function_node", "EagerTensor", "to unpack", "Op:", "]]]")
SENTENCES = {
    ("compute_content_cost", "wrong_tf_subtract_lists"): "that is a list",
    (
        "compute_content_cost",
        "wrong_divided_by_whole_number",
    ): "(float32) meets a whole number (int32)",
    ("compute_content_cost", "wrong_none_left"): "there is a None",
    ("compute_content_cost", "wrong_typo"): "a_C has no value here",
    ("compute_content_cost", "wrong_batch_dropped"): "dropped before, by [0]",
    ("gram_matrix", "wrong_transposed_twice"): "transposed twice",
    ("gram_matrix", "wrong_assigned"): "cannot be set one by one",
    ("gram_matrix", "wrong_star"): "the matrix product is @",
    ("compute_layer_style_cost", "wrong_not_unrolled_raises"): "still has 4 dimensions",
    ("compute_layer_style_cost", "wrong_batch_dropped"): "read three, n_H, n_W, n_C",
    ("train_step", "wrong_pair_swapped"): "the gradient comes first",
    ("train_step", "wrong_gradient_alone"): "takes a list of pairs",
    ("train_step", "wrong_zip_of_tensors"): "zip takes the picture apart",
    ("train_step", "wrong_float_before_gradient"): "J is a plain number here",
    ("train_step", "wrong_numpy_before_gradient"): "J is a plain number here",
    ("train_step", "wrong_assigned_float64"): "holds float32, but what is assigned is float64",
    ("train_step", "wrong_assigned_uint8"): "holds float32, but what is assigned is uint8",
    ("train_step", "wrong_gradient_swapped"): "the wrong way round. First what is differentiated",
    ("train_step", "wrong_predict"): "predict gives NumPy arrays",
    ("compute_content_cost", "wrong_axis_beyond"): "there is no axis 4",
    ("compute_content_cost", "wrong_if_of_tensors"): "an if wants one truth",
    ("compute_content_cost", "wrong_shape_with_brackets"): "a.shape is no function",
    ("compute_layer_style_cost", "wrong_sizes_read_too_late"): "it is a matrix by now",
    ("total_cost", "wrong_constant_of_tensors"): "tf.constant takes numbers, not tensors",
    ("total_cost", "wrong_matmul"): "numbers are multiplied with *",
    ("total_cost", "wrong_subtracted_from_nothing"): "J has no value yet",
    ("total_cost", "wrong_equals_plus"): "write += or -=",
    ("train_step", "wrong_persistent_tape_without_brackets"): "brackets are missing",
    ("train_step", "wrong_optimizer_step"): "step belongs to PyTorch",
    ("train_step", "wrong_targets_anew"): "a_C and a_S are given, as arguments",
    ("train_step", "wrong_style_of_pixels"): "generated_image is a picture",
    ("train_step", "wrong_global_optimizer"): "It uses _optimizer of your notebook",
    ("train_step", "wrong_minus_equals"): "not changed with -=: the optimizer moves it",
    ("train_step", "wrong_entries_assigned"): "put into it by generated_image.assign(...)",
    ("train_step", "wrong_gradient_of_copy"): "a copy on which J does not depend",
    ("train_step", "wrong_gradient_of_new_tensor"): "it must be generated_image itself",
    ("train_step", "wrong_copy_before_tape"): "give vgg, and here, generated_image itself",
    ("train_step", "wrong_way_of_optax"): "one of Keras has optimizer.apply_gradients",
    ("train_step", "wrong_weights_watched"): "watches a tf.Variable such as the image by itself",
    ("train_step", "wrong_list_of_one_gradient"): "grad is a list, for the gradient is taken",
    ("train_step", "wrong_numpy_of_the_list"): "leave .numpy() out",
    ("train_step", "wrong_constant_of_the_image"): "the pixels are taken out of TensorFlow",
    ("compute_layer_style_cost", "wrong_perm_with_an_axis_twice"): "0 is missing from 1, 3, 1, 2",
    ("train_step", "wrong_activations_to_vgg"): "vgg gets a list, such as the activations",
    ("gram_matrix", "wrong_power_of_T"): "A^T is how it is written on paper: write tf.transpose(A)",
    ("gram_matrix", "wrong_without_tf"): "write tf.transpose.",
    ("compute_layer_style_cost", "wrong_same_unrolled_twice"): "the other activation meant?",
    ("gram_matrix", "wrong_both_flags"): "both factors are transposed",
    ("gram_matrix", "wrong_both_transposed_above"): "both factors are transposed",
    ("total_cost", "wrong_costs_cast_to_int"): "a decimal number, and TensorFlow wants",
    ("total_cost", "wrong_weight_is_whole"): "a decimal number",
    (
        "total_cost",
        "wrong_int_times_tensor",
    ): "(int32) meets a decimal number (float32)",
    ("compute_content_cost", "wrong_quarter_of_size"): "a whole number (int32) meets 0.25",
    ("compute_layer_style_cost", "wrong_int_grams"): "a whole number (int32)",
    ("compute_content_cost", "wrong_root_of_size"): "does not take whole numbers (int32)",
}


@pytest.mark.parametrize(("name", "key"), SENTENCES)
def test_a_sentence_for_a_beginner(name, key):
    verdict = judge_wrong(name, answer(name, key), fresh(name))
    assert SENTENCES[name, key] in verdict.diagnosis
    assert "`" in verdict.diagnosis, "the student's own line"
    assert not [raw for raw in RAW if raw in verdict.diagnosis], verdict.diagnosis


def test_not_written_is_only_the_stub_itself():
    """C1: a stub's line above written code, and TensorFlow's own NotImplementedError."""
    with pytest.raises(NotImplementedError, match="Exercise 1: compute_content_cost"):
        checkpoints.compute_content_cost(answer("compute_content_cost", "wrong_stub"))
    stub = answer("compute_content_cost", "wrong_stub")
    stub = judge_wrong("compute_content_cost", stub, fresh("compute_content_cost"))
    assert stub.expected == stub.got == ""  # nothing was computed
    left = answer("compute_content_cost", "wrong_stub_left_above")
    with pytest.raises(checkpoints.CheckpointError, match="still stands above your code: delete"):
        checkpoints.compute_content_cost(left)

    library = "def convert(A):\n    raise NotImplementedError('Cannot convert a symbolic tensor')"
    namespace = {}
    exec(compile(library, "library.py", "exec"), namespace)

    def gram_matrix(A):
        return namespace["convert"](A)

    verdict = judge_wrong("gram_matrix", gram_matrix, fresh("gram_matrix"))
    assert verdict.mistake == "gram-error" and "not written" not in verdict.diagnosis


def test_no_hint_where_none_fits():
    """C2: what is not recognised gets no hint, rather than the first."""

    def gram_matrix(A):
        raise RuntimeError("something else")

    verdict = judge_wrong("gram_matrix", gram_matrix, fresh("gram_matrix"))
    assert verdict.hint == "" and "Read" not in checkpoints.explain(verdict, again=True)
    printed = judge_wrong("gram_matrix", lambda A: print(end=""), fresh("gram_matrix"))
    assert printed.hint == "" and "print only shows" in printed.diagnosis
    wrong = judge_wrong("gram_matrix", lambda A: 0 * A[:, :1] + 5.0, fresh("gram_matrix"))
    assert wrong.hint in ("", "hint 3 of Exercise 2")
