// Where the parts of this package are, for scripts that run emcc.
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const include = fileURLToPath(new URL('include', import.meta.url));

const lib = new URL('lib/', import.meta.url);
export const libraries = readdirSync(lib)
  .filter((name) => name.endsWith('.js'))
  .sort()
  .map((name) => fileURLToPath(new URL(name, lib)));

// The library calls only these two of the program's functions.
export const functions = ['_malloc', '_free'];

export function compileFlags() {
  return [`-I${include}`];
}

export function linkFlags(exported = ['_main']) {
  return [
    ...libraries.flatMap((path) => ['--js-library', path]),
    `-sEXPORTED_FUNCTIONS=${[...exported, ...functions].join(',')}`,
  ];
}
