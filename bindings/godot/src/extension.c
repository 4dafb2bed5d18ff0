/* The entry point of the extension: registers the classes and passes their documentation to the editor. */
#include "client.h"
#include "docs.h"
#include "hints.h"
#include "multiplayer.h"
#include "names.h"
#include "peer.h"
#include "server.h"

#if defined(_WIN32)
#define EXPORTED __declspec(dllexport)
#else
#define EXPORTED __attribute__((visibility("default")))
#endif

static gd_library *library;
static gd_get_function get_function;

static void register_classes(void) {
  gd_register(library, &peer_class);
  gd_register_methods(library, peer_class.name, peer_more_methods);
  gd_register_constants(library, peer_class.name, peer_more_constants);
  settings_register(library, peer_class.name, OF_PEER);
  gd_register(library, &client_class);
  settings_register(library, client_class.name, OF_PEER);
  gd_register(library, &server_class);
  settings_register(library, server_class.name, OF_SERVER);
  gd_register(library, &multiplayer_class);
  settings_register(library, multiplayer_class.name, OF_MULTIPLAYER);
  hints_register(library);
}

static void unregister_classes(void) {
  hints_unregister();
  gd_unregister(library, &multiplayer_class);
  gd_unregister(library, &server_class);
  gd_unregister(library, &client_class);
  gd_unregister(library, &peer_class);
  /* Frees all connections and asks the library's threads to end. */
  ws_shutdown();
}

static void load_help(void) {
#ifndef WITHOUT_HELP
  gd_load_help load = (gd_load_help)get_function("editor_help_load_xml_from_utf8_chars");
  for (const char *const *xml = class_docs; load && *xml; xml++) load(*xml);
#endif
}

static void initialize(void *data, uint32_t level) {
  (void)data;
  if (level == GD_LEVEL_SCENE) register_classes();
  if (level == GD_LEVEL_EDITOR) load_help();
}

static void deinitialize(void *data, uint32_t level) {
  (void)data;
  if (level == GD_LEVEL_SCENE) unregister_classes();
}

EXPORTED gd_bool wspeer_godot_init(gd_get_function get, gd_library *self, gd_initialization *how);

EXPORTED gd_bool wspeer_godot_init(gd_get_function get, gd_library *self, gd_initialization *how) {
  if (ws_abi_version() != WS_ABI_VERSION || !gd_load(get)) return 0;
  get_function = get;
  library = self;
  names_set();
  how->minimum_level = GD_LEVEL_SCENE;
  how->data = NULL;
  how->initialize = initialize;
  how->deinitialize = deinitialize;
  return 1;
}
