// How each set-up of broken.json is broken. A breaker gets the rig, breaks one thing, and gives back how the doctor is to be
// run (Rig.run) and, as `mend`, what undoes it.
'use strict';

const { execFileSync, spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');

const { build, freePort, root } = require('../e2e/support/daemon.cjs');

// The packages of the end-to-end tests lie beside those.
const { WebSocketServer } = require(require.resolve('ws', { paths: [path.join(root, 'tests/e2e')] }));

const fakeModule = path.join(build, 'tests/fake_module/libtamga-fake-pkcs11.so');
const noAnswer = 'http://127.0.0.1:9'; // the discard port: nobody listens

/** Another content of a file, until it is mended. */
function edited(rig, name, content, mode) {
  const file = rig.file(name);
  const before = fs.existsSync(file) ? fs.readFileSync(file) : undefined;
  rig.write(name, content, mode);
  return () => {
    if (before === undefined) fs.rmSync(file);
    else rig.write(name, before);
  };
}

const withConfig = (rig, content) => ({ mend: edited(rig, '.config/tamga/tamga.toml', content) });

/** Programs and the command itself in a folder of their own, which lacks `missing`. */
function incomplete(rig, missing) {
  const folder = rig.file('incomplete');
  fs.mkdirSync(folder);
  fs.copyFileSync(path.join(build, 'bin/tamga'), path.join(folder, 'tamga')); // it looks beside itself
  for (const name of ['tamga-web', 'tamga-token', 'tamga-prompt']) {
    if (name !== missing) fs.symlinkSync(path.join(build, 'bin', name), path.join(folder, name));
  }
  return { program: path.join(folder, 'tamga'), mend: () => fs.rmSync(folder, { recursive: true }) };
}

/** A socket of the daemon's name at which somebody else answers. */
async function otherDaemon(rig, serve) {
  const folder = rig.file('other-run');
  fs.mkdirSync(path.join(folder, 'tamga'), { recursive: true, mode: 0o700 });
  const server = net.createServer();
  const socket = path.join(folder, 'tamga/api.sock');
  await new Promise((resolve) => { server.listen(socket, resolve); });
  fs.chmodSync(socket, 0o600);
  const open = new Set();
  server.on('connection', (connection) => open.add(connection));
  serve?.(server);
  return {
    env: { ...rig.env, XDG_RUNTIME_DIR: folder },
    mend: () => {
      for (const connection of open) connection.destroy();
      server.close();
      fs.rmSync(folder, { recursive: true });
    },
  };
}

/** Somebody who listens on a port, called as `name`. */
async function impostor(name, options = {}) {
  const port = await freePort();
  const script = `require('net').createServer().listen(${port}, '127.0.0.1', () => console.log('ready'))`;
  const child = spawn(process.execPath, ['-e', script, name], { cwd: '/', stdio: ['ignore', 'pipe', 'inherit'], ...options });
  await new Promise((resolve) => { child.stdout.once('data', resolve); });
  return { port, mend: () => child.kill() };
}

/** The fake module in place of SoftHSM, with a token and what `lines` say (tests/fake_module/knobs.hpp). */
function fake(rig, lines) {
  const knobs = rig.write('knobs', `log ${rig.file('calls')}\ntoken Planted 87654321 3\n${lines}\n`);
  return {
    mend: edited(rig, '.config/tamga/modules.toml',
      `[[module]]\nname = "fake"\npath = "${fakeModule}"\nenvironment = { TAMGA_FAKE_PKCS11 = "${knobs}" }\n`),
  };
}
const otherModule = (rig, file) => ({ mend: edited(rig, '.config/tamga/modules.toml', `[[module]]\nname = "driver"\npath = "${file}"\n`) });

/** A browser that was started once, whose profile is in `home`; the folders are removed again from `top` on. */
function anotherFirefox(rig, top, home) {
  rig.write(`${home}/profiles.ini`, '[Profile0]\nName=default\nIsRelative=1\nPath=test.default\n');
  fs.mkdirSync(rig.file(`${home}/test.default`));
  return { mend: () => fs.rmSync(rig.file(top), { recursive: true }) };
}
function anotherChromium(rig, top, home) {
  fs.mkdirSync(rig.file(home), { recursive: true });
  return { mend: () => fs.rmSync(rig.file(top), { recursive: true }) };
}

/** A certificate for the fake token, valid in the years named. */
function certificate(rig, name, from, to) {
  const file = (suffix) => rig.file(`${name}.${suffix}`);
  fs.writeFileSync(file('cnf'), `[ca]\ndefault_ca = it\n[it]\ndatabase = ${file('index')}\nnew_certs_dir = ${rig.home}\ndefault_md = sha256\n`
    + 'rand_serial = yes\npolicy = any\n[any]\ncommonName = supplied\n[req]\ndistinguished_name = any\n');
  fs.writeFileSync(file('index'), '');
  execFileSync('openssl', ['req', '-new', '-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${name}`, '-config', file('cnf'),
    '-keyout', file('key'), '-out', file('req')], { stdio: 'ignore' });
  execFileSync('openssl', ['ca', '-batch', '-selfsign', '-config', file('cnf'), '-keyfile', file('key'), '-in', file('req'),
    '-startdate', `${from}0101000000Z`, '-enddate', `${to}0101000000Z`, '-notext', '-out', file('pem')], { stdio: 'ignore' });
  return { pem: file('pem'), key: file('key') };
}

/** A file of the system hidden behind another one, for the doctor alone. */
function hidden(what, behind) {
  const asRoot = process.getuid() === 0 ? [] : ['--user', '--map-root-user'];
  return ['unshare', ...asRoot, '--mount', 'sh', '-c', `mount --bind '${behind}' '${what}' && exec "$@"`, 'hidden'];
}

/** The systemd of the rig knows the service, which does not run. */
async function stopped(rig, state) {
  await rig.stopDaemon();
  rig.setUnit('loaded', state);
  return { mend: async () => { await rig.restartDaemon(); } };
}

/** Everything about TLS as it was before. */
function keptTls(rig) {
  const kept = rig.file('kept-tls');
  fs.cpSync(rig.tls, kept, { recursive: true });
  return async () => {
    fs.rmSync(rig.tls, { recursive: true, force: true });
    fs.renameSync(kept, rig.tls);
    await rig.restartDaemon();
    rig.tamga('trust', '--install');
  };
}

const breakers = {
  unknown_key: (rig) => withConfig(rig, `${rig.config}\n[limits]\nframes = 3\n`),
  modules_no_toml: (rig) => ({ mend: edited(rig, '.config/tamga/modules.toml', '[[[module\n') }),
  modules_writable: (rig) => ({ mend: edited(rig, '.config/tamga/modules.toml', rig.modules, 0o666) }),
  no_web: (rig) => incomplete(rig, 'tamga-web'),
  no_window: (rig) => incomplete(rig, 'tamga-prompt'),
  other_build: (rig) => otherDaemon(rig, (server) => {
    const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'tamga.v1' });
    server.on('connection', (connection) => {
      const http = require('node:http').createServer();
      http.on('upgrade', (request, socket, head) => sockets.handleUpgrade(request, socket, head, (peer) => {
        peer.on('message', (text) => {
          const { id, method } = JSON.parse(text.toString());
          const result = method === 'hello' ? { build: 'another-build' } : { tokens: [{}, {}, {}] };
          peer.send(JSON.stringify({ jsonrpc: '2.0', id, result }));
        });
      }));
      http.emit('connection', connection);
    });
  }),
  clock: (rig) => {
    rig.services.server.prependListener('request', rig.wrongClock = (request, response) => {
      response.setHeader('Date', new Date(Date.now() - 600000).toUTCString());
    });
    return { mend: () => rig.services.server.off('request', rig.wrongClock) };
  },
  open_state: (rig) => {
    fs.chmodSync(rig.file('.local/state/tamga'), 0o755);
    return { mend: () => fs.chmodSync(rig.file('.local/state/tamga'), 0o700) };
  },
  sites: (rig) => ({ mend: edited(rig, '.local/state/tamga/sites.toml', 'no table at all\n') }),
  no_runtime_folder: (rig) => {
    const { XDG_RUNTIME_DIR: _, ...env } = rig.env;
    return { env, mend: () => {} };
  },
  service_stopped: (rig) => stopped(rig, 'inactive'),
  service_failed: (rig) => stopped(rig, 'failed'),
  service_absent: (rig) => {
    const folder = rig.file('empty-run');
    fs.mkdirSync(folder, { mode: 0o700 });
    return { env: { ...rig.env, XDG_RUNTIME_DIR: folder }, mend: () => fs.rmdirSync(folder) };
  },
  service_silent: (rig) => otherDaemon(rig),
  port_nobody: async () => ({ port: await freePort(), mend: () => {} }),
  port_ncalayer: () => impostor('NCALayer/ncalayer.jar'),
  port_kaztoken: () => impostor('/opt/KAZTOKEN/kaztoken-desktop'),
  port_other: () => impostor('anything'),
  port_other_user: () => (process.getuid() === 0 ? impostor('anything', { uid: 65534, gid: 65534 }) : undefined),
  tls_none: (rig) => {
    const mend = keptTls(rig);
    fs.rmSync(rig.tls, { recursive: true });
    return { mend };
  },
  tls_expired: (rig) => {
    const mend = keptTls(rig);
    const [generation] = fs.readdirSync(rig.tls);
    const { pem, key } = certificate(rig, 'Tamga local CA 00000000', '2020', '2021');
    for (const [name, content] of [['ca.pem', [pem]], ['chain.pem', [pem, pem]], ['key.pem', [key]]]) {
      fs.writeFileSync(path.join(rig.tls, generation, name), content.map((file) => fs.readFileSync(file, 'utf8')).join(''));
    }
    return { mend };
  },
  tls_foreign: (rig) => {
    const mend = keptTls(rig);
    fs.rmSync(rig.tls, { recursive: true });
    rig.tamga('trust', '--install');
    return { mend };
  },
  trust_missing: (rig) => {
    const profile = rig.file('.mozilla/firefox/new.profile');
    fs.mkdirSync(profile);
    const mend = edited(rig, '.mozilla/firefox/profiles.ini', '[Profile0]\nPath=test.default\n[Profile1]\nPath=new.profile\n');
    return { mend: () => { mend(); fs.rmSync(profile, { recursive: true }); } };
  },
  chromium_snap: (rig) => anotherChromium(rig, 'snap', 'snap/chromium/current'),
  chromium_flatpak: (rig) => anotherChromium(rig, '.var', '.var/app/org.chromium.Chromium'),
  firefox_snap: (rig) => anotherFirefox(rig, 'snap', 'snap/firefox/common/.mozilla/firefox'),
  firefox_flatpak: (rig) => anotherFirefox(rig, '.var', '.var/app/org.mozilla.firefox/.mozilla/firefox'),
  firefox_config: (rig) => anotherFirefox(rig, '.config/mozilla', '.config/mozilla/firefox'),
  trust_unreadable: (rig) => ({ mend: edited(rig, '.mozilla/firefox/test.default/cert9.db', 'no database') }),
  no_certutil: (rig) => {
    const nothing = rig.write('nothing', '');
    return { wrap: hidden('/usr/bin/certutil', nothing), mend: () => fs.rmSync(nothing) };
  },
  policy: (rig) => {
    rig.write('chromium/policies/managed/test.json', '{"LoopbackNetworkBlockedForUrls":["https://[*.]gov.kz"]}');
    return { wrap: hidden('/etc/chromium', rig.file('chromium')), mend: () => fs.rmSync(rig.file('chromium'), { recursive: true }) };
  },
  blocked: (rig) => ({
    mend: edited(rig, '.config/chromium/Default/Preferences',
      '{"profile":{"zoom":1.5,"content_settings":{"exceptions":{"loopback_network":{"https://planted-site.test:443,*":{"setting":2}}}}}}'),
  }),
  blocked_in_snap: (rig) => {
    rig.write('snap/chromium/common/chromium/Default/Preferences',
      '{"profile":{"content_settings":{"exceptions":{"loopback_network":{"https://planted-site.test:443,*":{"setting":2}}}}}}');
    return { mend: () => fs.rmSync(rig.file('snap'), { recursive: true }) };
  },
  no_pcscd: (rig) => ({ env: { ...rig.env, PCSCLITE_CSOCK_NAME: rig.file('no-pcscd') }, mend: () => {} }),
  unknown_atr: async (rig) => {
    await rig.readers.insert(0);
    return { mend: () => rig.readers.remove(0) };
  },
  module_missing: (rig) => otherModule(rig, rig.file('nowhere.so')),
  module_untrusted: (rig) => {
    fs.copyFileSync('/usr/lib/softhsm/libsofthsm2.so', rig.file('open.so'));
    fs.chmodSync(rig.file('open.so'), 0o777);
    return otherModule(rig, rig.file('open.so'));
  },
  module_unloadable: (rig) => otherModule(rig, rig.write('driver.so', 'no library')),
  module_crashes: (rig) => fake(rig, 'crash C_GetSlotList segv'),
  module_hangs: (rig) => fake(rig, 'hang C_GetSlotList'),
  module_fails: (rig) => fake(rig, 'fail C_GetSlotList 5'),
  module_crashed: (rig) => {
    fs.writeFileSync(rig.journal, ['Segmentation fault', 'Aborted'].map((signal) => (
      `tamgad: ended program="tamga-token" module=0 how="signal ${signal}" restart_in_ms=100\n`)).join(''));
    return { mend: () => fs.writeFileSync(rig.journal, '') };
  },
  no_module_for_family: async (rig) => {
    const mend = edited(rig, '.config/tamga/families.toml', '[[family]]\nid = "orphan"\nstorage = "AKKaztokenStore"\n'
      + 'name = { kk = "Orphan", ru = "Orphan", en = "Orphan" }\natrs = ["3B 88 01 54 45 53 54 4F 4E 4C 59 8B"]\n'
      + `modules = ["${rig.file('nowhere.so')}", "${rig.file('elsewhere.so')}"]\nprogram = "Orphan Client"\n${fs.readFileSync(rig.file('.config/tamga/families.toml'), 'utf8')}`);
    await rig.readers.insert(0);
    return { mend: async () => { mend(); await rig.readers.remove(0); } };
  },
  pin_locked: (rig) => fake(rig, `${usable(rig)}flags 0 40000`),
  pin_final_try: (rig) => fake(rig, `${usable(rig)}flags 0 20000`),
  no_keys: (rig) => fake(rig, ''),
  not_shown: (rig) => {
    const broken = fake(rig, `token Second 87654321 3\n${usable(rig)}${usable(rig, 1)}`);
    return broken;
  },
  key_expired: (rig) => {
    const { pem, key } = certificate(rig, 'expired', '2020', '2021');
    return fake(rig, `certificate 0 01 ${pem}\nkey 0 01 ${key}`);
  },
  issuer_missing: (rig) => {
    const folder = rig.file('.config/tamga/ca');
    fs.renameSync(folder, `${folder}.away`);
    return { mend: () => fs.renameSync(`${folder}.away`, folder) };
  },
  stamps_silent: (rig) => withConfig(rig, rig.config.replace(`${rig.services.url}/tsp`, `${noAnswer}/tsp`)),
  ocsp_silent: (rig) => withConfig(rig, rig.config.replace(`${rig.services.url}/ocsp`, `${noAnswer}/ocsp`)),
  stamps_wrong: (rig) => {
    rig.services.mood = 'rubbish';
    return { mend: () => { rig.services.mood = 'none'; } };
  },
  catalogue: (rig) => ({ mend: edited(rig, '.config/tamga/services.d/test.services', 'no catalogue') }),
  no_display: (rig) => {
    const { WAYLAND_DISPLAY: _, ...env } = rig.env;
    return { env, mend: () => {} };
  },
  display_silent: (rig) => ({ env: { ...rig.env, WAYLAND_DISPLAY: rig.file('no-screen') }, mend: () => {} }),
};

/** Lines that give a fake token the certificate of a citizen; its issuer is known. */
function usable(rig, slot = 0) {
  return `certificate ${slot} 01 ${path.join(rig.daemon.token, 'sign.pem')}\n`;
}

module.exports = { breakers };
