// Prepares a checkout: installs tools; with --build also builds what is stale.
import { build, install } from './project.mjs'

if (process.argv.includes('--build')) build()
else install()
