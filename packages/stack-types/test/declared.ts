import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

const program = ts.createProgram([join(root, 'index.d.ts')], {
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
  types: ['node'],
  strict: true,
  noEmit: true
})
const checker = program.getTypeChecker()

/** The emitter shapes that the other files extend: no module of the stack. */
const PHANTOM = '@covey/stack-types/emitter'

export interface Declared {
  /** `module#export`. */
  readonly id: string
  readonly module: string
  readonly name: string
  readonly symbol: ts.Symbol
  readonly kind: 'class' | 'value' | 'interface' | 'type'
}

export interface Member {
  readonly name: string
  readonly optional: boolean
  readonly type: ts.Type
}

const isOurs = (node: ts.Node): boolean => dirname(node.getSourceFile().fileName) === root

const sourceFiles = program.getSourceFiles().filter((file) => dirname(file.fileName) === root)

function kindOf(symbol: ts.Symbol): Declared['kind'] {
  if (symbol.flags & ts.SymbolFlags.Class) return 'class'
  if (symbol.flags & (ts.SymbolFlags.Variable | ts.SymbolFlags.Function)) return 'value'
  return symbol.flags & ts.SymbolFlags.Interface ? 'interface' : 'type'
}

/** Everything that the .d.ts files export for the modules that they declare. */
export const declared: readonly Declared[] = checker
  .getAmbientModules()
  .filter((symbol) => symbol.declarations?.every(isOurs) && symbol.name !== `"${PHANTOM}"`)
  .flatMap((symbol) => {
    const module = symbol.name.slice(1, -1)
    return checker.getExportsOfModule(symbol).map((exported) => {
      const target =
        exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
      const kind = kindOf(target) === 'type' && target !== exported ? 'value' : kindOf(target)
      return { id: `${module}#${exported.name}`, module, name: exported.name, symbol: target, kind }
    })
  })

function membersOf(type: ts.Type): Member[] {
  return checker
    .getPropertiesOfType(type)
    .filter((property) => property.declarations?.some(isOurs))
    .filter((property) => !property.name.startsWith('__@') && property.name !== 'prototype')
    .map((property) => ({
      name: property.name,
      optional: (property.flags & ts.SymbolFlags.Optional) !== 0,
      type: checker.getTypeOfSymbol(property)
    }))
}

/** What hangs on the class, function or object itself. */
export const ownMembers = (entry: Declared): Member[] =>
  membersOf(checker.getTypeOfSymbol(entry.symbol))

/** What an instance of the class, or an object of the interface, has. */
export const instanceMembers = (entry: Declared): Member[] =>
  membersOf(checker.getDeclaredTypeOfSymbol(entry.symbol))

export const isMethod = (member: Member): boolean => member.type.getCallSignatures().length > 0

export const describeType = (type: ts.Type): string => checker.typeToString(type)

/** Could `value` be of this type, as far as one look at the value can tell? */
export function fits(type: ts.Type, value: unknown): boolean {
  const { TypeFlags } = ts
  if (type.isUnion()) return type.types.some((part) => fits(part, value))
  if (type.isIntersection()) return type.types.every((part) => fits(part, value))
  if (type.flags & (TypeFlags.Unknown | TypeFlags.Any | TypeFlags.TypeParameter)) return true
  if (type.flags & TypeFlags.Null) return value === null
  if (type.flags & (TypeFlags.Undefined | TypeFlags.Void)) return value === undefined
  if (type.isStringLiteral() || type.isNumberLiteral()) return value === type.value
  if (type.flags & TypeFlags.BooleanLiteral) return String(value) === checker.typeToString(type)
  if (type.flags & TypeFlags.StringLike) return typeof value === 'string'
  if (type.flags & TypeFlags.NumberLike) return typeof value === 'number'
  if (type.flags & TypeFlags.BooleanLike) return typeof value === 'boolean'
  if (type.getCallSignatures().length > 0) return typeof value === 'function'
  const name = type.getSymbol()?.name
  if (name === 'Uint8Array') return value instanceof Uint8Array
  if (checker.isArrayType(type) || checker.isTupleType(type)) return Array.isArray(value)
  if (name === 'Promise') return value instanceof Promise
  return (typeof value === 'object' || typeof value === 'function') && value !== null
}

/** Every `any` that is written in the declarations. */
export function writtenAnys(): string[] {
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if (node.kind === ts.SyntaxKind.AnyKeyword) {
      const file = node.getSourceFile()
      const { line } = file.getLineAndCharacterOfPosition(node.getStart())
      found.push(`${file.fileName}:${line + 1}`)
    }
    ts.forEachChild(node, visit)
  }
  sourceFiles.forEach(visit)
  return found
}
