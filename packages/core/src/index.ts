export { CoveyError, isCoveyError, type CoveyErrorInit } from './errors.js'
