// What the processes of the product hold: descriptors, threads and memory, by name and argument. Spare and serving prompts
// come and go; they are left out.
'use strict';

const fs = require('node:fs');
const { children, until } = require('./daemon.cjs');

const commandLine = (pid) => fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean).slice(1).join(' ');

/** @param more  further processes by name, such as { pcscd: [pid] } */
function pidsOf(daemon, more = {}) {
  const own = Object.entries(daemon.pids()).filter(([name]) => name !== 'tamga-prompt')
    .flatMap(([name, pids]) => pids.map((pid) => [`${name} ${commandLine(pid)}`.trim(), pid]));
  const others = Object.entries(more).flatMap(([name, pids]) => pids.map((pid) => [name, pid]));
  return Object.fromEntries([['tamgad', daemon.process.pid], ...own, ...others]);
}

/** { NAME: { pid, fds, threads } }, without the end that tamgad has of each prompt's control channel. */
function possessions(daemon, more) {
  const held = Object.fromEntries(Object.entries(pidsOf(daemon, more)).map(([name, pid]) => [name, {
    pid, fds: fs.readdirSync(`/proc/${pid}/fd`).length, threads: fs.readdirSync(`/proc/${pid}/task`).length,
  }]));
  held.tamgad.fds -= daemon.pids()['tamga-prompt']?.length ?? 0;
  return held;
}

/** What `read` gives once it has given the same for a quarter of a second: a prompt that is coming or going counts twice. */
async function settled(read) {
  let [last, since] = [read(), Date.now()];
  await until('nothing to come or go', () => {
    const now = read();
    if (JSON.stringify(now) !== JSON.stringify(last)) [last, since] = [now, Date.now()];
    return Date.now() - since >= 250;
  });
  return last;
}

/** { NAME: its proportional share of the memory, in MB } */
function memory(daemon, more) {
  return Object.fromEntries(Object.entries(pidsOf(daemon, more)).map(([name, pid]) => {
    const [, kilobytes] = fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').match(/^Pss:\s+(\d+)/m);
    return [name, Number(kilobytes) / 1024];
  }));
}

/** Ended children that nobody has buried. */
function zombies(parents) {
  return parents.flatMap((parent) => Object.entries(children(parent))).flatMap(([name, pids]) => pids
    .filter((pid) => { try { return /\) Z/.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8')); } catch { return false; } })
    .map((pid) => `${name} ${pid}`));
}

module.exports = { memory, possessions, settled, zombies };
