import { library } from '../../scripts/tsup.js'

export default library({ entry: ['src/index.ts', 'src/internal.ts'] })
