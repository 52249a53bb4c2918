#!/usr/bin/env node
import process from '#process'
import { runCommand } from './internal/command.js'

process.exitCode = await runCommand(process.argv.slice(2))
