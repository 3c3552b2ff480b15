/** `--set path=value`: a field that there is, and a value that it takes, or an error that says which. */
import { ArgumentError } from '@meanflow/core';
import { z } from 'zod';
import { readAssignment } from '../../src/config/assignment.js';
import { askedRunSchema } from '../../src/config/schema.js';

const read = (text: string) => readAssignment(text, askedRunSchema());

it.each<[string, string[], unknown]>([
  ['steps=100', ['steps'], 100],
  ['network.width=256', ['network', 'width'], 256],
  ['network.channels=32', ['network', 'channels'], 32],
  ['data=8-gaussians', ['data'], '8-gaussians'],
  ['data="8-gaussians"', ['data'], '8-gaussians'],
  ['label=3', ['label'], '3'],
  ['conditional=false', ['conditional'], false],
  ['optimizer.learningRate = 1e-3', ['optimizer', 'learningRate'], 0.001],
  ['sampling.nfe=[1, 2]', ['sampling', 'nfe'], [1, 2]],
  ['sampling.nfe[1]=4', ['sampling', 'nfe', '[1]'], 4],
  ['sampling.nfe.1=4', ['sampling', 'nfe', '[1]'], 4],
  ['sampling.ema=null', ['sampling', 'ema'], null],
  ['ema={"decays":[0.5]}', ['ema'], { decays: [0.5] }],
  ['network={"kind":"song-unet","channels":8}', ['network'], { kind: 'song-unet', channels: 8 }],
  ['network.embedding.kind=fourier', ['network', 'embedding', 'kind'], 'fourier'],
  ['task.images.0=sketches', ['task', 'images', '0'], 'sketches'],
  ['table.delimiter==', ['table', 'delimiter'], '='],
])('%s', (text, keys, value) => {
  expect(read(text)).toMatchObject({ keys, value });
});

it.each([
  ['network', '--set: expected path=value, such as network.width=256, got network.'],
  ['=3', '--set: expected path=value'],
  ['network..width=3', '--set network..width: expected names with dots between them'],
  ['stesp=3', '--set stesp: there is no field "stesp". Did you mean "steps"? Known are data,'],
  ['network.widht=3', '--set network.widht: network: there is no field "widht". Did you mean "width"? Known are kind, width'],
  ['network.kind=mpl', '--set network.kind: expected one of mlp, residual-mlp, dit, unet, imf-dit, pmf-dit, song-unet, got "mpl". Did you mean "mlp"?'],
  ['method=meanflwo', '--set method: expected one of flow-matching, meanflow, improved-meanflow, got "meanflwo". Did you mean "meanflow"?'],
  ['steps=-5', '--set steps: expected more than 0, got -5.'],
  ['steps=1.5', '--set steps: expected a whole number, got 1.5.'],
  ['steps=many', '--set steps: expected a number, got "many".'],
  ['steps.more=3', '--set steps.more: steps: there is nothing in it, and so no "more".'],
  ['steps=1e999', '"--set steps", line 1: value: 1e999 is beyond all numbers.'],
  ['sampling.nfe=4', '--set sampling.nfe: expected a list, got 4.'],
  ['sampling.nfe[x]=4', '--set sampling.nfe[x]: sampling: there is no field "nfe[x]". Did you mean "nfe"?'],
  ['sampling.nfe[0]=none', '--set sampling.nfe[0]: expected a number, got "none".'],
  ['ema={"decays":[2]}', '--set ema: decays: [0]: expected less than 1, got 2.'],
  ['network={"width":0}', '--set network: width: expected more than 0, got 0.'],
  ['network={"kind":"song-unet","width":8}', '--set network: network: there is no field "width". Did you mean "augmentWidth"? Known are kind, channels,'],
  ['average=twice', '--set average: expected a decay below 1, a half-life in samples from 1, "none", or a list of these.'],
  ['backend=', '--set backend: expected some text, got nothing.'],
  ['__proto__.polluted=1', '--set __proto__.polluted: there is no field "__proto__".'],
  ['network.constructor=1', '--set network.constructor: network: there is no field "constructor".'],
  ['task.images.__proto__=1', '--set task.images.__proto__: task.images: there is nothing in it'],
  ['network={"__proto__":{"polluted":1}}', 'there is no field "__proto__"'],
  ['network={"width":1,"width":2}', 'the field "width" is there twice.'],
  ['digest=00', '--set digest: there is no field "digest".'],
  ['reading={}', '--set reading: there is no field "reading".'],
])('%s is refused', (text, message) => {
  expect(() => read(text)).toThrow(ArgumentError);
  expect(() => read(text)).toThrow(message);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
}); // prettier-ignore

it('names fields of a kind that says nothing of them', () => {
  const schema = z.strictObject({ network: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('known'), width: z.int() }),
    z.looseObject({ kind: z.literal('other') }),
  ]) });
  expect(readAssignment('network.anything=3', schema)).toMatchObject({ keys: ['network', 'anything'], value: 3 });
  expect(() => readAssignment('network.__proto__=3', schema)).toThrow('there is no field "__proto__"');
}); // prettier-ignore
