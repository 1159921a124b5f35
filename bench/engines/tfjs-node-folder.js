/**
 * The folder in whose `node_modules` @tensorflow/tfjs-node stands with its addon, or `undefined`. It is not among the
 * peers that are installed, since it is completed by an install script that downloads.
 */
export const tfjsNodeFolder = process.env.FERROGRAPH_BENCH_TFJS_NODE
