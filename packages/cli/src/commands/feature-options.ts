/** The options of a feature extractor in an ONNX file, the same for every command that takes one. */
import { Option, type Command } from 'commander';
import { grid } from './options.js';

/** Adds what an ONNX file is told that it does not say itself. */
export function withFeatureOptions(command: Command): Command {
  return command
    .optionsGroup('The feature extractor, an ONNX file:')
    .addOption(
      new Option(
        '--features-range <range>',
        'what values it takes for a pixel; asked for where its input is of floats',
      ).choices(['byte', 'unit', 'signed', 'imagenet']),
    )
    .addOption(
      new Option(
        '--features-layout <layout>',
        'where its channels are, where its input does not tell',
      ).choices(['nhwc', 'nchw']),
    )
    .option('--features-size <size>', 'height and width that images are resized to, such as 299x299', grid)
    .option('--features-output <name>', 'its output with the features, where it has several')
    .option('--logits-output <name>', "its output with a classifier's logits, where they are wanted");
}
