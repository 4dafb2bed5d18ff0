/* Simulated networks: ws_sim as a Dictionary. */
#include "opening.h"

#include <math.h>

#include <stdio.h>
#include <string.h>

/* The fields of ws_sim behind struct_size, in order: numbers of 32 bits. */
static const char *const names[] = {
    "seed",
#define BOTH(name) "up_" #name, "down_" #name
    BOTH(lag_us),
    BOTH(jitter_us),
    BOTH(bytes_per_s),
    BOTH(burst_bytes),
    BOTH(loss_ppm),
    BOTH(loss_stall_us),
    BOTH(buffer_bytes),
    BOTH(stall_from_ms),
    BOTH(stall_for_ms),
    BOTH(stall_every_ms),
    BOTH(half_open_bytes),
    BOTH(cut_bytes),
#undef BOTH
};

enum { COUNT = sizeof names / sizeof *names };

typedef char covers_the_struct[sizeof(ws_sim) == (COUNT + 1) * sizeof(uint32_t) ? 1 : -1];

void return_sim_preset(const gd_call *call) {
  uint32_t sim[COUNT + 1];
  gd_dictionary *figures = gd_return_dictionary(call);
  if (error_of(ws_sim_init((ws_sim *)sim, sizeof sim, gd_int32_at(call, 0)), "sim_preset") != GD_OK) return;
  for (int i = 0; i < COUNT; i++) gd_set(figures, names[i], gd_of_int(sim[i + 1]));
}

/* Calls a method of a Dictionary that returns a number or a bool. `key` may be NULL. */
static int64_t asked(gd_variant *figures, const char *method, const char *key) {
  gd_name called = gd_name_new(method);
  gd_variant result, name = gd_of_text(key ? key : "", key ? strlen(key) : 0);
  const gd_variant *args[] = {&name};
  gd_call_error error = {0};
  gd.variant_call(figures, &called, args, key ? 1 : 0, &result, &error);
  int64_t number = gd_to_int(&result);
  gd.variant_destroy(&result);
  gd.variant_destroy(&name);
  gd_name_free(&called);
  return number;
}

/* Reads the figures. False: there is one that cannot be, which is printed. */
static bool read(gd_variant *figures, uint32_t *sim) {
  int64_t found = 0;
  for (int i = 0; i < COUNT; i++) {
    char what[120];
    if (!asked(figures, "has", names[i])) continue;
    int64_t value = asked(figures, "get", names[i]);
    if (value < 0 || value > UINT32_MAX) {
      snprintf(what, sizeof what, "%s is %lld: it must be 0 to 4294967295", names[i], (long long)value);
      gd_error("set_sim", what);
      return false;
    }
    sim[i + 1] = (uint32_t)value;
    found++;
  }
  if (found == asked(figures, "size", NULL)) return true;
  gd_error("set_sim", "the dictionary has a key that is no figure: compare it with sim_preset()");
  return false;
}

void return_sim_set(const gd_call *call, ws_handle handle) {
  uint32_t sim[COUNT + 1] = {sizeof sim};
  gd_variant figures = gd_of(GD_DICTIONARY, call->args[0]);
  int64_t error = GD_ERR_INVALID_PARAMETER;
  bool is_off = !asked(&figures, "size", NULL);
  if (is_off || read(&figures, sim)) error = error_of(ws_set_sim(handle, is_off ? NULL : (ws_sim *)sim), "set_sim");
  gd.variant_destroy(&figures);
  gd_return_int(call, error);
}

/* ---- the properties ---- */

/* A property in the library's unit, which the others do not exceed. */
static uint32_t figure(const endpoint *self, int setting, double scale) {
  double value = ceil(self->numbers[setting] * scale);
  return !(value > 0) ? 0 : value < (double)UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

/* Sets both directions, unless the property leaves the preset's figure. */
static void both(uint32_t *up, uint32_t *down, uint32_t value) {
  if (value) *up = *down = value;
}

/* False: a property cannot be applied, which is printed. */
static bool fits(const endpoint *self) {
  static const struct {
    int setting;
    const char *name;
    int most;
  } limits[] = {{SIM_LAG, "sim_lag", 60}, {SIM_JITTER, "sim_jitter", 60}, {SIM_LOSS, "sim_loss", 1}};
  char what[120];
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
    double value = self->numbers[limits[i].setting];
    if (!(value > limits[i].most)) continue;
    snprintf(what, sizeof what, "%s is %g: it must be 0 to %d", limits[i].name, value, limits[i].most);
    gd_error(limits[i].name, what);
    return false;
  }
  return true;
}

void simulate(endpoint *self) {
  ws_sim sim;
  bool is_on = false;
  for (int i = SIM_NETWORK; i <= SIM_BANDWIDTH; i++) is_on |= self->numbers[i] > 0;
  if (!self->handle || (!is_on && !self->is_simulated) || !fits(self)) return;
  self->is_simulated = is_on;
  ws_result result = ws_sim_init(&sim, sizeof sim, (int32_t)self->numbers[SIM_NETWORK]);
  if (result == WS_OK) {
    both(&sim.up_lag_us, &sim.down_lag_us, figure(self, SIM_LAG, 1e6));
    both(&sim.up_jitter_us, &sim.down_jitter_us, figure(self, SIM_JITTER, 1e6));
    both(&sim.up_loss_ppm, &sim.down_loss_ppm, figure(self, SIM_LOSS, 1e6));
    both(&sim.up_bytes_per_s, &sim.down_bytes_per_s, figure(self, SIM_BANDWIDTH, 1));
    sim.seed = figure(self, SIM_SEED, 1);
    result = ws_set_sim(self->handle, is_on ? &sim : NULL);
  }
  /* The handle of a connection that has ended. */
  if (result != WS_ERR_HANDLE) error_of(result, "sim");
}
