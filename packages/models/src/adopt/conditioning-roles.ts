/**
 * The roles of parameters that several networks have: of embedded conditions, and of a second head. What is new in a network that is
 * continued enters it at zero where the network can be made so: another embedded number, a class table where numbers and classes are
 * summed, columns of the first layer. Tokens that stand in a sequence cannot: attention sees them whatever they hold.
 */
import { conditionFeatures, type ConditionForm, type ConditioningConfig } from '../networks/conditioning.js';
import { classRows, type ParameterRole, type ParameterRoles, type RoleFacts } from './roles.js';

/**
 * @param form how the features of the conditions become one condition
 * @param given the features of what is given beside
 */
export function conditioningRoles(
  config: ConditioningConfig,
  form: ConditionForm['kind'],
  facts: RoleFacts,
  given: number,
): ParameterRoles {
  const features = [...conditionFeatures(config), ...(given > 0 ? [{ name: 'given', size: given }] : [])];
  const { classCount } = config;
  return (path) => {
    if (path === 'condition/label/table' && classCount !== undefined) {
      return { rows: classRows(classCount, facts), otherwise: form === 'add' ? 'zero' : 'initial' };
    }
    if (path.startsWith('condition/given/out/')) return { otherwise: 'zero' };
    const [, index, rest] = /^condition\/embedders\/(\d+)\/(.*)$/.exec(path) ?? [];
    if (rest === undefined) return undefined;
    if (form === 'add') {
      const name = `condition/embedders/${features[Number(index)]?.name}/${rest}`;
      return { name, otherwise: rest.startsWith('out/') ? 'zero' : 'initial' };
    }
    return rest === 'hidden/kernel' ? { rows: features, otherwise: 'zero' } : undefined;
  };
}

/** Of a head for the instantaneous velocity: copies of the last layers, and of the output. */
export function headRole(
  path: string,
  layers: 'layers' | 'blocks',
  {
    depth,
    velocityHead,
  }: { readonly depth: number; readonly velocityHead?: { readonly depth: number } | undefined },
): ParameterRole | undefined {
  if (velocityHead === undefined || !path.startsWith('velocityHead/')) return undefined;
  const [, index, rest] = /^velocityHead\/(?:layers|blocks)\/(\d+)\/(.*)$/.exec(path) ?? [];
  const like = `${layers}/${depth - velocityHead.depth + Number(index)}/${rest}`;
  return { like: rest === undefined ? path.slice('velocityHead/'.length) : like };
}

/** Of the first layer of a network of images: channels of z and, beside them, of conditions that have places. @param axis of channels */
export function channelsRole(channels: number, beside: number, axis: number): ParameterRole {
  const rows = [
    { name: 'z', size: channels },
    { name: 'beside', size: beside },
  ];
  return { rows: rows.filter(({ size }) => size > 0), axis, otherwise: 'zero' };
}
