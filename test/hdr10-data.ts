import type { SideData } from '../ffmpeg-filter/command/probed-input.js';

/** HDR10's static data as ffprobe prints it: a display with the primaries of P3, 1000 cd/m², and light levels. */
export const hdr10Data: readonly [display: SideData, light: SideData] = [
  {
    ...{ side_data_type: 'Mastering display metadata', red_x: '34000/50000', red_y: '16000/50000' },
    ...{ green_x: '13250/50000', green_y: '34500/50000', blue_x: '7500/50000', blue_y: '3000/50000' },
    ...{ white_point_x: '15635/50000', white_point_y: '16450/50000' },
    ...{ min_luminance: '1/10000', max_luminance: '10000000/10000' },
  },
  { side_data_type: 'Content light level metadata', max_content: 1000, max_average: 400 },
];
