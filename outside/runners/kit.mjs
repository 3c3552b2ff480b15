/** The part of the conformance kit that the runners run: what the lifetime of arrays may be, refusals, and a few ops. */
const ops = ['add', 'dotGeneral', 'gather', 'reduceSum'];

/** @param {import('@meanflow/conformance').Case} entry */
export const filter = ({ aspect, op }) =>
  ['lifetime', 'errors'].includes(aspect) || (['values', 'derivatives'].includes(aspect) && ops.includes(op));
