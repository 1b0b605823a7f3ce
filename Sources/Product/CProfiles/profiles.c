#include "profiles.h"

// The files stand at the root of the repository, where a user finds them and sees what to write.
// A file that is added there is added here too; a test compares the two lists.
static const char machines_a100[] = {
#embed "../../../Profiles/machines/a100.json"
    , 0};
static const char machines_h200[] = {
#embed "../../../Profiles/machines/h200.json"
    , 0};
static const char machines_paper[] = {
#embed "../../../Profiles/machines/paper.json"
    , 0};
static const char machines_rtx_3090[] = {
#embed "../../../Profiles/machines/rtx-3090.json"
    , 0};
static const char machines_rtx_4090[] = {
#embed "../../../Profiles/machines/rtx-4090.json"
    , 0};
static const char machines_rtx_5090[] = {
#embed "../../../Profiles/machines/rtx-5090.json"
    , 0};
static const char hosts_ddr4[] = {
#embed "../../../Profiles/hosts/ddr4.json"
    , 0};
static const char hosts_ddr5[] = {
#embed "../../../Profiles/hosts/ddr5.json"
    , 0};
static const char hosts_epyc_rome[] = {
#embed "../../../Profiles/hosts/epyc-rome.json"
    , 0};
static const char hosts_epyc[] = {
#embed "../../../Profiles/hosts/epyc.json"
    , 0};
static const char hosts_xeon_5220r[] = {
#embed "../../../Profiles/hosts/xeon-5220r.json"
    , 0};
static const char routing_deepseek_v2_lite[] = {
#embed "../../../Profiles/routing/deepseek-v2-lite.json"
    , 0};
static const char routing_default[] = {
#embed "../../../Profiles/routing/default.json"
    , 0};
static const char routing_mixtral_8x7b[] = {
#embed "../../../Profiles/routing/mixtral-8x7b.json"
    , 0};
static const char routing_qwen2_57b_a14b[] = {
#embed "../../../Profiles/routing/qwen2-57b-a14b.json"
    , 0};
static const char shapes_deepseek_v2_lite[] = {
#embed "../../../Profiles/shapes/deepseek-v2-lite.json"
    , 0};
static const char shapes_deepseek_v3[] = {
#embed "../../../Profiles/shapes/deepseek-v3.json"
    , 0};
static const char shapes_glm_4_5_air[] = {
#embed "../../../Profiles/shapes/glm-4.5-air.json"
    , 0};
static const char shapes_gpt_oss_120b[] = {
#embed "../../../Profiles/shapes/gpt-oss-120b.json"
    , 0};
static const char shapes_gpt_oss_20b[] = {
#embed "../../../Profiles/shapes/gpt-oss-20b.json"
    , 0};
static const char shapes_mixtral_8x7b[] = {
#embed "../../../Profiles/shapes/mixtral-8x7b.json"
    , 0};
static const char shapes_qwen2_57b_a14b[] = {
#embed "../../../Profiles/shapes/qwen2-57b-a14b.json"
    , 0};
static const char shapes_qwen3_235b_a22b[] = {
#embed "../../../Profiles/shapes/qwen3-235b-a22b.json"
    , 0};
static const char shapes_qwen3_30b_a3b[] = {
#embed "../../../Profiles/shapes/qwen3-30b-a3b.json"
    , 0};

static const hybrimoe_profile profiles[] = {
    {"machines", "a100", machines_a100},
    {"machines", "h200", machines_h200},
    {"machines", "paper", machines_paper},
    {"machines", "rtx-3090", machines_rtx_3090},
    {"machines", "rtx-4090", machines_rtx_4090},
    {"machines", "rtx-5090", machines_rtx_5090},
    {"hosts", "ddr4", hosts_ddr4},
    {"hosts", "ddr5", hosts_ddr5},
    {"hosts", "epyc-rome", hosts_epyc_rome},
    {"hosts", "epyc", hosts_epyc},
    {"hosts", "xeon-5220r", hosts_xeon_5220r},
    {"routing", "deepseek-v2-lite", routing_deepseek_v2_lite},
    {"routing", "default", routing_default},
    {"routing", "mixtral-8x7b", routing_mixtral_8x7b},
    {"routing", "qwen2-57b-a14b", routing_qwen2_57b_a14b},
    {"shapes", "deepseek-v2-lite", shapes_deepseek_v2_lite},
    {"shapes", "deepseek-v3", shapes_deepseek_v3},
    {"shapes", "glm-4.5-air", shapes_glm_4_5_air},
    {"shapes", "gpt-oss-120b", shapes_gpt_oss_120b},
    {"shapes", "gpt-oss-20b", shapes_gpt_oss_20b},
    {"shapes", "mixtral-8x7b", shapes_mixtral_8x7b},
    {"shapes", "qwen2-57b-a14b", shapes_qwen2_57b_a14b},
    {"shapes", "qwen3-235b-a22b", shapes_qwen3_235b_a22b},
    {"shapes", "qwen3-30b-a3b", shapes_qwen3_30b_a3b},
};

const hybrimoe_profile *hybrimoe_profiles(size_t *count) {
  *count = sizeof profiles / sizeof profiles[0];
  return profiles;
}
