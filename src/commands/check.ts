// --check: what is wrong with settings, files and stored operations, without a network.
import { readFileSync } from 'node:fs'
import { loadSettings, readEnvironment, type Settings, SettingsError, SettingsSchema } from '../settings.ts'
import { settingsWithoutEffect } from '../settings-warnings.ts'
import { SchemaError, schemaFromSdl } from '../stored-operations/hasura-schema.ts'
import { loadOperations } from '../stored-operations/load-operations.ts'
import { readOperationFolder } from '../stored-operations/operation-folder.ts'
import { describeProblem, OperationsError } from '../stored-operations/operations-error.ts'
import type { StoredOperation } from '../stored-operations/stored-operation.ts'
import { typeOperations } from '../stored-operations/type-operations.ts'

/** What a look at everything on this machine gives. */
export type Findings = {
  /** Undefined where one of them is bad. */
  readonly settings: Settings | undefined
  /** What is wrong, one sentence each, without a value. */
  readonly settingProblems: readonly string[]
  readonly operationProblems: readonly string[]
  /** What the service starts with all the same. */
  readonly warnings: readonly string[]
  readonly operationCount: number
}

/** Looks at settings, files and stored operations; these also where a setting is bad. */
export async function lookAround(): Promise<Findings> {
  const problems: string[] = []
  const environment = readOrExplain(problems)
  const settings = await loadSettings(environment).catch((error: unknown) => void problems.push(...settingProblemsOf(error)))
  const operations = await lookAtOperations(environment)
  const idle = settingsWithoutEffect(environment, settings ?? undefined).map(name => `has no effect: ${name}`)
  const ignored = operations.ignored.map(path => `${path}: is no stored operation, since its name does not end in .graphql`)
  return {
    settings: settings ?? undefined,
    settingProblems: problems,
    operationProblems: operations.problems,
    warnings: [...idle, ...ignored],
    operationCount: operations.count
  }
}

/** Returns the result of `--check` as lines: `ok` alone, or everything that is wrong. */
export function writeCheck({ settingProblems, operationProblems }: Findings): string {
  const problems = [...settingProblems, ...operationProblems]
  return problems.length === 0 ? 'ok' : problems.join('\n')
}

/** The environment with the `.env` file, or without it where that cannot be read. */
function readOrExplain(problems: string[]): Record<string, string> {
  try {
    return readEnvironment()
  } catch (error) {
    problems.push(...(error instanceof SettingsError ? settingProblemsOf(error) : [`.env: cannot be read (${codeOf(error)})`]))
    return readEnvironment('')
  }
}

function settingProblemsOf(error: unknown): string[] {
  if (!(error instanceof SettingsError)) throw error
  return [...error.problems].map(([name, problem]) => `${name}: ${problem}`)
}

async function lookAtOperations(environment: Readonly<Record<string, string>>) {
  const { OPERATIONS_DIR: folder = SettingsSchema.properties.OPERATIONS_DIR.default, HASURA_SCHEMA_FILE: schemaFile } = environment
  const files = readOperationFolder(String(folder))
  const { ignored } = files
  try {
    const { operations } = loadOperations(files)
    return { ignored, count: operations.length, problems: schemaFile === undefined ? [] : await misfitsOf(operations, schemaFile) }
  } catch (error) {
    if (!(error instanceof OperationsError)) throw error
    return { ignored, count: 0, problems: error.problems.map(describeProblem) }
  }
}

/** What does not fit the schema of a file; that the file can be read is the settings' business. */
async function misfitsOf(operations: readonly StoredOperation[], path: string): Promise<string[]> {
  let sdl: string
  try {
    sdl = readFileSync(path, 'utf8')
  } catch {
    return []
  }
  try {
    const { misfits } = await typeOperations(operations, schemaFromSdl(sdl))
    return [...misfits.values()].flat().map(describeProblem)
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error
    return [`HASURA_SCHEMA_FILE: ${error.message}`]
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : 'unknown')
