/**
 * What the splitter must know of ffmpeg's options: which take no value, which hold for the whole command, and which
 * half they concern. Source: the option tables of ffmpeg 5.1 to 8; everything that they do not list is an option of a
 * codec, format or protocol, and takes a value.
 */

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Stand alone; also written with `no` before them. */
const flags = words(`
  y n ignore_unknown copy_unknown recast_media copyts start_at_zero accurate_seek re benchmark benchmark_all
  stdin dump hex debug_ts stats vn an sn dn intra copyinkf autorotate autoscale shortest bitexact find_stream_info
  xerror hide_banner report psnr vstats qphist deinterlace fix_sub_duration fix_sub_duration_heartbeat force_fps
  auto_conversion_filters display_hflip display_vflip print_graphs
`);

/** Ask something of ffmpeg instead of converting; the next word, if any, belongs to them. */
const queries = words(`
  L h ? help -help version buildconf formats muxers demuxers devices codecs decoders encoders bsfs protocols filters
  pix_fmts layouts sample_fmts dispositions colors sources sinks hwaccels
`);

/** Hold for the whole command wherever they stand, and concern decoding as well as encoding. */
const globalsOfBoth = words(`
  loglevel v max_alloc cpuflags cpucount hide_banner timelimit dts_delta_threshold dts_error_threshold xerror abort_on
  filter_threads filter_complex_threads filter_buffered_frames debug_ts max_error_rate init_hw_device filter_hw_device
  vaapi_device qsv_device auto_conversion_filters copyts start_at_zero dump hex
`);

/** Hold for the whole command, and concern what is written or printed: the encoding half. */
const globalsOfEncoding = words(`
  y n report ignore_unknown copy_unknown recast_media progress stdin vsync frame_drop_threshold async copytb stats
  stats_period vstats vstats_file vstats_version qphist sdp_file benchmark benchmark_all psnr deinterlace
  adrift_threshold print_graphs print_graphs_file print_graphs_format
`);

const graphs = words('filter_complex lavfi filter_complex_script /filter_complex /lavfi');

/** Concern only the decoding of an input's pictures. */
const videoDecoding = words('hwaccel hwaccel_device hwaccel_output_format vcodec c:v codec:v');

/** Values after which the rates of the encoding half are the user's own business. */
const clockOptions = words('r fps_mode vsync enc_time_base fpsmax');

/** Devices and demuxers whose data comes once. */
const liveFormats = words(`
  alsa android_camera avfoundation bktr caca decklink dshow fbdev gdigrab iec61883 jack kmsgrab libcdio libdc1394 openal
  oss pulse sndio v4l2 video4linux2 vfwcap x11grab xcbgrab
`);

/** What an option's name says, without the specifier after `:`. */
export interface OptionKind {
  readonly takes: 'value' | 'nothing' | 'maybe';
  readonly scope: 'file' | 'graph' | 'both' | 'encode';
}

/** What is known of an option, by its name without the leading `-` (a specifier may follow after `:`). */
export function optionKind(name: string): OptionKind {
  const bare = bareName(name);
  const positive = bare.startsWith('no') && flags.has(bare.slice(2)) ? bare.slice(2) : bare;
  const takes = queries.has(bare) ? 'maybe' : flags.has(positive) ? 'nothing' : 'value';
  if (graphs.has(bare)) {
    return { takes, scope: 'graph' };
  }
  const scope = globalsOfBoth.has(positive) ? 'both' : globalsOfEncoding.has(positive) ? 'encode' : 'file';
  return { takes, scope };
}

/** An option's name without its stream specifier. */
export function bareName(name: string): string {
  return name.split(':', 1)[0] ?? '';
}

/** True for options that only matter where the pictures of an input are decoded. */
export function isVideoDecodingOption(name: string): boolean {
  return videoDecoding.has(name) || videoDecoding.has(bareName(name)) || /^(c|codec):[vV]/.test(name);
}

/** True when the option sets frame rate or time base of an output, so that ours must not. */
export function isClockOption(name: string): boolean {
  return clockOptions.has(bareName(name));
}

/** True for an input that cannot be opened a second time: standard input, a device, a live stream. */
export function comesOnce(url: string, format: string | undefined): boolean {
  return (
    url === '-' ||
    /^(pipe|fd|udp|rtp|rtsps?|rtmp\w*|srtp?|tcp|sctp|unix):/i.test(url) ||
    /^\/dev\/(stdin|fd\/|video|dv)/.test(url) ||
    (format !== undefined && liveFormats.has(format))
  );
}
