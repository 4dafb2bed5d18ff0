// The model of the browser build against the traces of the native model: node tests/sim/trace.js
'use strict';
const fs = require('fs');
const path = require('path');
const vm = require('vm');

const root = path.join(__dirname, '..', '..');
const library = {};
const context = vm.createContext({
  LibraryManager: { library: library },
  mergeInto: function (into, parts) { Object.assign(into, parts); }
});
vm.runInContext(fs.readFileSync(path.join(root, 'bindings/web/library_wspeer_sim.js'), 'utf8'), context);
const SIM = context.WSPEER_SIM = library.$WSPEER_SIM;

let failures = 0, steps = 0;
function judge(good, what) {
  if (!good) failures++;
  console.log((good ? 'ok' : 'not ok') + ' - sim: ' + what);
}

for (const one of JSON.parse(fs.readFileSync(path.join(__dirname, 'trace.json'), 'utf8'))) {
  const spec = { seed: one.seed, up: one.up, down: one.down };
  const line = SIM.lines(spec, one.index, 0)[one.direction];
  let wrong = '';
  for (const [now, offered, all, accepted, due, next, held, losses] of one.steps) {
    const got = [SIM.offer(line, now, offered, all === 1), SIM.due(line, now)];
    SIM.take(line, got[1]);
    const first = line.packets.length ? line.packets[0].arrival : Infinity;
    got.push(first === Infinity ? -1 : first, line.held, line.losses);
    steps++;
    if (!wrong && JSON.stringify(got) !== JSON.stringify([accepted, due, next, held, losses])) {
      wrong = ': at ' + now + ' ' + JSON.stringify(got) + ' instead of ' +
        JSON.stringify([accepted, due, next, held, losses]);
    }
  }
  judge(!wrong, one.name + (one.direction ? ' down' : ' up') + ' as in the native library' + wrong);
  const preset = /^preset (\d)$/.exec(one.name);
  if (preset) {
    const own = SIM.PRESETS[preset[1]].map((figures) => SIM.FIELDS.map((_, i) => figures[i] || 0));
    judge(JSON.stringify(own) === JSON.stringify([one.up, one.down]), one.name + ' has the same figures');
  }
}
judge(steps > 1000, steps + ' steps were compared');
process.exit(failures ? 1 : 0);
