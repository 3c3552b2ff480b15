/** From CommonJS, where the engine can require ES modules: Node from 20.19. */
import core = require('@meanflow/core');
import models = require('@meanflow/models');
import runs = require('@meanflow/runs');

const network = models.mlp({ kind: 'mlp', featureShape: [2], width: 4, depth: 1 });
const params = network.init(core.RandomKey.fromSeed(0));
if (params.layers.length !== 1) throw new Error('One layer was asked for.');
if (typeof runs.openModel !== 'function') throw new Error('@meanflow/runs has no openModel.');
