/** A worker's side of the driver's protocol, as `peers/exchange.py` has it for Python. */
import { createInterface } from 'node:readline';

const CHECKED_STEPS = 3;

export function say(word: string, content?: object): void {
  console.log(content === undefined ? word : `${word} ${JSON.stringify(content)}`);
}

/** Answers each line `n` with n `[wall ms, CPU ms]`, until the driver closes the line. */
async function serve(step: () => Promise<unknown>): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const times: [wall: number, cpu: number][] = [];
    for (let i = 0; i < Number(line); i++) {
      const [wall, cpu] = [performance.now(), process.cpuUsage()];
      await step();
      const { user, system } = process.cpuUsage(cpu);
      times.push([performance.now() - wall, (user + system) / 1000]);
    }
    console.log(JSON.stringify(times));
  }
}

/** @param step makes an update and returns its loss @param more what is compared beside the losses, after the first step */
export async function serveTraining(
  step: () => Promise<number>,
  more: () => Promise<object> = () => Promise.resolve({}),
): Promise<void> {
  const losses = [await step()];
  say('first');
  const compared = await more();
  while (losses.length < CHECKED_STEPS) losses.push(await step());
  say('ready', { losses, ...compared });
  await serve(step);
}

/** @param sample makes all samples of the case and returns their numbers */
export async function serveSampling(sample: () => Promise<Float32Array>): Promise<void> {
  const found = Float32Array.from(await sample());
  say('first');
  for (let i = 0; i < 4; i++) await sample();
  let [squares, probe] = [0, 0];
  found.forEach((value, i) => {
    squares += value ** 2;
    probe += value * Math.cos(i * 0.1);
  });
  say('ready', { norm: Math.sqrt(squares), probe });
  await serve(sample);
}
