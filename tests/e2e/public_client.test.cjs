// NCALayer's public client (npm: ncalayer-js-client), unmodified, against the whole product under Node.
'use strict';

const assert = require('node:assert/strict');
const { after, before, test } = require('node:test');
const { Daemon, portal } = require('./support/daemon.cjs');

process.env.TAMGA_ORIGIN = portal;
require('./support/send-origin.cjs');
const { NCALayerClient } = require('ncalayer-js-client');
const { clientStory } = require('./support/client_story.cjs');
const { Services } = require('./support/services.cjs');

const stage = {};

before(async () => {
  stage.services = await Services.start();
  stage.daemon = await Daemon.start({ config: `[origins]\nallow = ["portal.test"]\n${stage.services.configuration()}` });
  process.env.TAMGA_CA = stage.daemon.authority();
  stage.client = new NCALayerClient(stage.daemon.url, false);
});
after(async () => {
  if (process.env.SHOW_LOG) console.log(stage.daemon.log());
  await stage.daemon.stop();
  await stage.services.stop();
});

test('connect reads the greeting of NCALayer 1.4', async () => {
  assert.equal(await stage.client.connect(), '1.4');
  assert.equal(stage.client.isKmd, false);
});

clientStory(stage);
