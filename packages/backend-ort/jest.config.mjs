import '../../scripts/software-vulkan.mjs';
import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: 'backend-ort' };
