import { randomBytes } from 'node:crypto'
import { open, rename, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { FileError } from '../core/errors.ts'

/**
 * Replaces a file as a whole: written beside it, forced to disk, renamed. Whatever goes wrong, the former file stays.
 *
 * @throws FileError with the system's error as its cause.
 */
export async function writeAtomically(path: string, bytes: Uint8Array): Promise<void> {
  const folder = dirname(path)
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`)
  try {
    const file = await open(temporary, 'wx')
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
    await syncFolder(folder)
  } catch (cause) {
    await unlink(temporary).catch(() => undefined)
    throw new FileError(`could not write '${path}': ${(cause as Error).message}`, 'FILE_WRITE', { path }, { cause })
  }
}

/** Forces the new name to disk. Systems whose folders cannot be opened keep names safe by themselves. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
