// Every file of PTX: a name and its text. Written by Tools/gpu-kernels/compile.py.
static const char attention_ptx[] = {
#embed "attention.ptx" suffix(, 0)
};
static const char attention_merge_ptx[] = {
#embed "attention_merge.ptx" suffix(, 0)
};
static const char combine_ptx[] = {
#embed "combine.ptx" suffix(, 0)
};
static const char copy_columns_ptx[] = {
#embed "copy_columns.ptx" suffix(, 0)
};
static const char down_ptx[] = {
#embed "down.ptx" suffix(, 0)
};
static const char expand_keys_ptx[] = {
#embed "expand_keys.ptx" suffix(, 0)
};
static const char foresee_ptx[] = {
#embed "foresee.ptx" suffix(, 0)
};
static const char gated_ptx[] = {
#embed "gated.ptx" suffix(, 0)
};
static const char load_rows_ptx[] = {
#embed "load_rows.ptx" suffix(, 0)
};
static const char product_ptx[] = {
#embed "product.ptx" suffix(, 0)
};
static const char product_transposed_ptx[] = {
#embed "product_transposed.ptx" suffix(, 0)
};
static const char publish_ptx[] = {
#embed "publish.ptx" suffix(, 0)
};
static const char quantize_ptx[] = {
#embed "quantize.ptx" suffix(, 0)
};
static const char rms_norm_ptx[] = {
#embed "rms_norm.ptx" suffix(, 0)
};
static const char rotate_ptx[] = {
#embed "rotate.ptx" suffix(, 0)
};
static const char route_ptx[] = {
#embed "route.ptx" suffix(, 0)
};
static const char store_rows_ptx[] = {
#embed "store_rows.ptx" suffix(, 0)
};
static const char weigh_ptx[] = {
#embed "weigh.ptx" suffix(, 0)
};
static const gpu_ptx files[] = {
    {"attention", attention_ptx, sizeof attention_ptx - 1},
    {"attention_merge", attention_merge_ptx, sizeof attention_merge_ptx - 1},
    {"combine", combine_ptx, sizeof combine_ptx - 1},
    {"copy_columns", copy_columns_ptx, sizeof copy_columns_ptx - 1},
    {"down", down_ptx, sizeof down_ptx - 1},
    {"expand_keys", expand_keys_ptx, sizeof expand_keys_ptx - 1},
    {"foresee", foresee_ptx, sizeof foresee_ptx - 1},
    {"gated", gated_ptx, sizeof gated_ptx - 1},
    {"load_rows", load_rows_ptx, sizeof load_rows_ptx - 1},
    {"product", product_ptx, sizeof product_ptx - 1},
    {"product_transposed", product_transposed_ptx, sizeof product_transposed_ptx - 1},
    {"publish", publish_ptx, sizeof publish_ptx - 1},
    {"quantize", quantize_ptx, sizeof quantize_ptx - 1},
    {"rms_norm", rms_norm_ptx, sizeof rms_norm_ptx - 1},
    {"rotate", rotate_ptx, sizeof rotate_ptx - 1},
    {"route", route_ptx, sizeof route_ptx - 1},
    {"store_rows", store_rows_ptx, sizeof store_rows_ptx - 1},
    {"weigh", weigh_ptx, sizeof weigh_ptx - 1},
};
