// --check: finds what is wrong with settings, files and stored operations, without a network.
import { readFileSync } from 'node:fs'
import { loadSettings, readEnvironment, type Settings, SettingsError, SettingsSchema } from '../settings.ts'
import { settingsWithoutEffect } from '../settings-warnings.ts'
import { SchemaError, schemaFromSdl } from '../stored-operations/hasura-schema.ts'
import { loadOperations } from '../stored-operations/load-operations.ts'
import { readOperationFolder } from '../stored-operations/operation-folder.ts'
import { describeProblem, OperationsError } from '../stored-operations/operations-error.ts'
import type { StoredOperation } from '../stored-operations/stored-operation.ts'
import { typeOperations } from '../stored-operations/type-operations.ts'

/** The result of checking everything on this machine. */
export type Findings = {
  /** Undefined if any setting is bad. */
  readonly settings: Settings | undefined
  /** One line for each problem, without values. */
  readonly settingProblems: readonly string[]
  readonly operationProblems: readonly string[]
  /** Problems that do not keep the service from starting. */
  readonly warnings: readonly string[]
  readonly operationCount: number
}

/** Checks settings, files and stored operations; stored operations are checked even if a setting is bad. */
export async function checkEverything(): Promise<Findings> {
  const problems: string[] = []
  const environment = readOrExplain(problems)
  const settings = await loadSettings(environment).catch((error: unknown) => void problems.push(...settingProblemsOf(error)))
  const operations = await checkOperations(environment)
  const idle = settingsWithoutEffect(environment, settings ?? undefined).map(name => `setting without effect: ${name}`)
  const ignored = operations.ignored.map(path => `${path}: is not a stored operation, because its name does not end in .graphql`)
  return {
    settings: settings ?? undefined,
    settingProblems: problems,
    operationProblems: operations.problems,
    warnings: [...idle, ...ignored],
    operationCount: operations.count
  }
}

/** Returns the output of `--check`: `ok`, or one line for each problem. */
export function writeCheck({ settingProblems, operationProblems }: Findings): string {
  const problems = [...settingProblems, ...operationProblems]
  return problems.length === 0 ? 'ok' : problems.join('\n')
}

/** Returns the environment with the `.env` file, or without the file if it cannot be read. */
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

async function checkOperations(environment: Readonly<Record<string, string>>) {
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

/** Returns where operations do not match the schema in a file. An unreadable file is already among the problems of the settings. */
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
