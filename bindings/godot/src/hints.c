/* Only nodes of the scene tree learn that the app was suspended or is shown again, and our classes are no nodes. So an
 * internal node below the root listens for them. */
#include "hints.h"

/* Constants of Node. */
enum { EXIT_TREE = 11, APPLICATION_RESUMED = 2014, APPLICATION_PAUSED = 2015, INTERNAL_MODE_BACK = 2 };

typedef struct {
  gd_object *object;
  bool is_suspended;
} listener;

static gd_library *library;
/* A Mutex of the engine, for `clients` and `is_requested`. */
static gd_ref mutex;
static endpoint *clients;
/* A call of listen() is queued. */
static bool is_requested;
/* The newest listener; NULL: there is none. */
static listener *current;

static gd_object *singleton(const char *class_name) {
  gd_name name = gd_name_new(class_name);
  gd_object *object = gd.global_get_singleton(&name);
  gd_name_free(&name);
  return object;
}

static gd_variant call(gd_object *object, const char *method) {
  gd_variant got, none[1];
  gd_call_method(object, method, none, 0, &got);
  return got;
}

static int64_t number_of(gd_object *object, const char *method) {
  gd_variant got = call(object, method);
  int64_t number = gd_to_int(&got);
  gd.variant_destroy(&got);
  return number;
}

static bool asks(gd_object *object, const char *method) {
  gd_variant got = call(object, method);
  gd_bool is = 0;
  gd_to(GD_BOOL, &is, &got);
  gd.variant_destroy(&got);
  return is != 0;
}

/* The object that a method returns and that another object owns; NULL: none. */
static gd_object *object_of(gd_object *object, const char *method) {
  gd_variant got = call(object, method);
  gd_object *found = NULL;
  if (gd.variant_get_type(&got) == GD_OBJECT) gd_to(GD_OBJECT, &found, &got);
  gd.variant_destroy(&got);
  return found;
}

static void lock(void) {
  gd_variant none = call(mutex.object, "lock");
  gd.variant_destroy(&none);
}

static void unlock(void) {
  gd_variant none = call(mutex.object, "unlock");
  gd.variant_destroy(&none);
}

/* ---- the listener ---- */

static void start(void *place, gd_object *object) {
  current = place;
  current->object = object;
}

static void end(void *place) {
  if (current == place) current = NULL;
}

static void hint(listener *self, bool is_suspended) {
  self->is_suspended = is_suspended;
  lock();
  for (endpoint *client = clients; client; client = client->next)
    ws_hint(client->handle, is_suspended ? WS_HINT_SUSPEND : WS_HINT_RESUME);
  unlock();
}

static void notification(void *place, int32_t what, gd_bool reversed) {
  listener *self = place;
  (void)reversed;
  if (what == APPLICATION_PAUSED) hint(self, true);
  if (what == APPLICATION_RESUMED) hint(self, false);
  /* Without a listener nobody would end the suspension. */
  if (what == EXIT_TREE && self->is_suspended) hint(self, false);
}

static const gd_class listener_class = {"WSHintListener", "Node", sizeof(listener), start, end, NULL, NULL, NULL,
                                        NULL,             NULL,   notification};

/* Adds the listener to the scene tree, unless it is there. */
static void listen(void) {
  gd_object *engine = singleton("Engine"), *os = singleton("OS");
  /* Calls that were deferred while a thread loads a resource run on that thread. */
  if (number_of(os, "get_thread_caller_id") != number_of(os, "get_main_thread_id")) return;
  if (asks(engine, "is_editor_hint")) return;
  gd_object *loop = object_of(engine, "get_main_loop");
  gd_object *root = gd_is(loop, "SceneTree") ? object_of(loop, "get_root") : NULL;
  if (!root) return;
  if (current && asks(current->object, "is_inside_tree") && !asks(current->object, "is_queued_for_deletion")) return;
  void *self;
  gd_object *node = gd_instantiate(&listener_class, &self);
  gd_variant none, args[] = {gd_of_object(node), gd_of_bool(false), gd_of_int(INTERNAL_MODE_BACK)};
  gd_call_method(root, "add_child", args, 3, &none);
  gd.variant_destroy(&none);
  if (!asks(node, "is_inside_tree")) gd.object_destroy(node);
}

static void listen_deferred(void *data, const gd_variant *const *args, int64_t count, gd_variant *ret,
                            gd_call_error *error) {
  (void)data, (void)args, (void)count, (void)ret;
  error->error = GD_CALL_OK;
  listen();
}

static gd_bool is_registered(void *data) {
  (void)data;
  return library != NULL;
}

/* Also if the call was never made. */
static void request_ended(void *data) {
  (void)data;
  if (!library) return;
  lock();
  is_requested = false;
  unlock();
}

/* Calls listen() on the main thread, when the tree can take a node. */
static void request_listener(void) {
  gd_callable callable;
  gd_callable_info info = {0};
  info.data = &current;
  info.token = library;
  info.call = listen_deferred;
  info.is_valid = is_registered;
  info.free = request_ended;
  gd.callable_custom_create2(&callable, &info);
  gd_variant self = gd_of(GD_CALLABLE, &callable), ret;
  gd_free(GD_CALLABLE, &callable);
  gd_name name = gd_name_new("call_deferred");
  gd_call_error error = {GD_CALL_OK, 0, 0};
  gd.variant_call(&self, &name, NULL, 0, &ret, &error);
  gd_name_free(&name);
  gd.variant_destroy(&ret);
  gd.variant_destroy(&self);
}

/* ---- the clients ---- */

void hints_begin(endpoint *self) {
  lock();
  self->next = clients;
  self->place = &clients;
  if (clients) clients->place = &self->next;
  clients = self;
  bool was_requested = is_requested;
  is_requested = true;
  unlock();
  if (!was_requested) request_listener();
}

void hints_stop(endpoint *self) {
  if (!self->place) return;
  lock();
  *self->place = self->next;
  if (self->next) self->next->place = self->place;
  self->place = NULL;
  unlock();
}

/* ---- registration ---- */

void hints_register(gd_library *self) {
  gd_name name = gd_name_new("Mutex");
  library = self;
  is_requested = false;
  gd.ref_set_object(&mutex, gd.classdb_construct_object(&name));
  gd_name_free(&name);
  gd_register(library, &listener_class);
}

void hints_unregister(void) {
  /* The tree has freed it if the engine quits; it is still there if a program unloads the extension. */
  if (current) gd.object_destroy(current->object);
  gd_unregister(library, &listener_class);
  library = NULL;
  gd.ref_set_object(&mutex, NULL);
}
