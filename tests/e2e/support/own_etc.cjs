// Files of the computer for one test alone: what it writes below /etc, /var/lib and where Tamga is installed lies in memory, is
// seen by the test and what it starts, and is gone with it, however it ends.
'use strict';

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { build, testFolder } = require('./daemon.cjs');

const [, prefix] = fs.readFileSync(path.join(build, 'CMakeCache.txt'), 'utf8').match(/^CMAKE_INSTALL_PREFIX:\w+=(.*)$/m);
const script = `set -e
room=$1
shift
mount -t tmpfs tmpfs "$room"
for folder in /etc /var/lib "$TAMGA_OWN_PREFIX"; do
  mkdir -p "$room$folder/upper" "$room$folder/work"
  mount -t overlay overlay -o "lowerdir=$folder,upperdir=$room$folder/upper,workdir=$room$folder/work" "$folder"
done
exec "$@"`;

/**
 * Runs the file that calls this once more, in a mount namespace of its own, and waits for that; as root.
 * @returns whether this is that run: `if (!inOwnEtc(__filename)) return;`
 */
function inOwnEtc(file) {
  if (process.env.TAMGA_OWN_PREFIX === prefix) return true;
  const room = testFolder('etc');
  const { status } = spawnSync('unshare', ['--mount', 'sh', '-c', script, 'sh', room, process.execPath, ...process.execArgv, file],
    { stdio: 'inherit', env: { ...process.env, TAMGA_OWN_PREFIX: prefix } });
  fs.rmdirSync(room);
  process.exitCode = status ?? 1;
  return false;
}

module.exports = { inOwnEtc, prefix };
