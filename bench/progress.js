/** One line that overwrites itself on a terminal. */
export function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${text}`)
}
