import { EXIT } from './exit-codes.ts';
import { PEOPLE_ERRORS } from './people-errors.ts';
import { TENANT_ERRORS } from './tenant-errors.ts';

interface CatalogueEntry {
  readonly http: number;
  readonly exit: number;
  readonly retryable?: boolean;
  /** Message and hint: what happened to which thing, and what to do about it. */
  readonly en: readonly [message: string, hint: string];
  readonly es: readonly [message: string, hint: string];
}

/**
 * size: one row for each error that anybody can meet; it only makes sense in one place.
 *
 * Codes are part of the wire format and of scripts: they are added, never renamed.
 */
const catalogue = {
  ...PEOPLE_ERRORS,
  ...TENANT_ERRORS,
  // Usage and surroundings
  usage: {
    http: 400,
    exit: EXIT.usage,
    en: ['{problem}', 'Run the command with --help to see what it takes.'],
    es: ['{problem}', 'Ejecute el comando con --help para ver qué acepta.'],
  },
  internal: {
    http: 500,
    exit: EXIT.failed,
    en: ['Something failed that should not: {problem}', 'Try again; if it stays, send the log to support.'],
    es: [
      'Falló algo que no debía: {problem}',
      'Vuelva a intentar; si persiste, envíe el registro a soporte.',
    ],
  },
  not_enrolled: {
    http: 400,
    exit: EXIT.notFound,
    en: ['This computer is not enrolled (no state in {folder}).', 'Run: cofre enroll LINE --kit FILE'],
    es: [
      'Este equipo no está registrado (no hay estado en {folder}).',
      'Ejecute: cofre enroll LÍNEA --kit ARCHIVO',
    ],
  },
  already_enrolled: {
    http: 409,
    exit: EXIT.failed,
    en: [
      'This computer is already enrolled (state in {folder}).',
      'Use another --state folder for a second account.',
    ],
    es: [
      'Este equipo ya está registrado (estado en {folder}).',
      'Use otra carpeta --state para una segunda cuenta.',
    ],
  },
  state_damaged: {
    http: 500,
    exit: EXIT.failed,
    en: [
      'The agent state file {file} cannot be read: {problem}',
      'Restore the file from a copy or enrol again with the kit.',
    ],
    es: [
      'No se puede leer el archivo de estado {file}: {problem}',
      'Recupere el archivo de una copia o registre de nuevo con el kit.',
    ],
  },
  path_not_found: {
    http: 404,
    exit: EXIT.failed,
    en: ['{path}: no such file or folder.', 'Check the spelling.'],
    es: ['{path}: no existe ese archivo o carpeta.', 'Revise el nombre.'],
  },
  file_unwritable: {
    http: 500,
    exit: EXIT.failed,
    en: ['Cannot write {file}: {problem}', 'Check that the folder exists, has space and may be written.'],
    es: [
      'No se puede escribir {file}: {problem}',
      'Revise que la carpeta exista, tenga espacio y permita escribir.',
    ],
  },
  file_exists: {
    http: 409,
    exit: EXIT.failed,
    en: ['{file} already exists and was left as it is.', 'Give another file name.'],
    es: ['{file} ya existe y se dejó como está.', 'Indique otro nombre de archivo.'],
  },
  busy: {
    http: 409,
    exit: EXIT.busy,
    retryable: true,
    en: ['{what} is in use by another process.', 'Wait until it has ended, or stop it.'],
    es: ['{what} está en uso por otro proceso.', 'Espere a que termine o deténgalo.'],
  },
  interrupted: {
    http: 499,
    exit: EXIT.interrupted,
    en: ['Interrupted.', 'Run the command again: it goes on from what was sent.'],
    es: ['Interrumpido.', 'Ejecute el comando otra vez: sigue desde lo ya enviado.'],
  },
  // Keys and trust
  kit_unreadable: {
    http: 400,
    exit: EXIT.wrongKey,
    en: [
      '{file} is not a recovery kit: {problem}',
      'Give the kit file that was made at enrolment, or type its 24 words into a file.',
    ],
    es: [
      '{file} no es un kit de recuperación: {problem}',
      'Indique el archivo del kit creado al registrar, o escriba sus 24 palabras en un archivo.',
    ],
  },
  kit_needed: {
    http: 400,
    exit: EXIT.wrongKey,
    en: [
      'This account already has a recovery key, and {file} does not exist.',
      'Give the existing kit with --kit FILE.',
    ],
    es: [
      'Esta cuenta ya tiene una clave de recuperación y {file} no existe.',
      'Indique el kit existente con --kit ARCHIVO.',
    ],
  },
  wrong_key: {
    http: 403,
    exit: EXIT.wrongKey,
    en: [
      'This recovery key does not open this account ({what}).',
      'Use the kit that belongs to it. Nobody else can open it, not even the provider.',
    ],
    es: [
      'Esta clave de recuperación no abre esta cuenta ({what}).',
      'Use el kit que le corresponde. Nadie más puede abrirla, ni siquiera el proveedor.',
    ],
  },
  untrusted: {
    http: 409,
    exit: EXIT.failed,
    en: [
      'The server shows {what}, which the recovery key does not confirm: {problem}',
      'Do not go on; ask the provider, and compare the fingerprint on your kit.',
    ],
    es: [
      'El servidor muestra {what}, que la clave de recuperación no confirma: {problem}',
      'No continúe; consulte al proveedor y compare la huella de su kit.',
    ],
  },
  recipient_mix: {
    http: 400,
    exit: EXIT.failed,
    en: [
      'Recipients that resist quantum computers may not be mixed with ones that do not.',
      'Use recipients that begin with age1pq1 only.',
    ],
    es: [
      'No se pueden mezclar destinatarios poscuánticos con otros que no lo son.',
      'Use solo destinatarios que empiecen con age1pq1.',
    ],
  },
  // Formats
  damaged: {
    http: 422,
    exit: EXIT.failed,
    en: [
      '{what} is damaged: {problem}',
      'Run verify to see what is affected; the next backup from the device heals what it still has.',
    ],
    es: [
      '{what} está dañado: {problem}',
      'Ejecute verify para ver qué está afectado; el próximo respaldo del equipo repara lo que aún tenga.',
    ],
  },
  unknown_format: {
    http: 422,
    exit: EXIT.failed,
    en: [
      '{what} was written by a newer version of Cofre ({problem}).',
      'Update this program, then try again.',
    ],
    es: [
      '{what} fue escrito por una versión más nueva de Cofre ({problem}).',
      'Actualice este programa y vuelva a intentar.',
    ],
  },
  entries_lost: {
    http: 422,
    exit: EXIT.failed,
    en: [
      '{count} entries are lost with a part of the catalog, the first is {path}.',
      'Everything else is there. The next backup from the device heals what it still has; earlier snapshots may have them.',
    ],
    es: [
      'Se perdieron {count} entradas con una parte del catálogo, la primera es {path}.',
      'Todo lo demás está. El próximo respaldo del equipo repara lo que aún tenga; respaldos anteriores pueden tenerlas.',
    ],
  },
  chunk_missing: {
    http: 404,
    exit: EXIT.failed,
    en: [
      '{count} pieces of content are missing on the server ({what}).',
      'Everything else was restored; run a backup on a device that still has the files.',
    ],
    es: [
      'Faltan {count} partes del contenido en el servidor ({what}).',
      'Todo lo demás se restauró; haga un respaldo en un equipo que aún tenga los archivos.',
    ],
  },
  // Reaching the server
  enrolment_line_invalid: {
    http: 400,
    exit: EXIT.usage,
    en: [
      'This is not a complete enrolment line: {problem}',
      'Copy the whole line again, from "cofre1:" to its end.',
    ],
    es: [
      'Esta línea de registro no está completa: {problem}',
      'Copie otra vez la línea entera, desde "cofre1:" hasta el final.',
    ],
  },
  enrolment_code_unknown: {
    http: 404,
    exit: EXIT.notFound,
    en: ['The server does not know this enrolment code.', 'Ask for a new line; each works once.'],
    es: ['El servidor no conoce este código de registro.', 'Pida una línea nueva; cada una sirve una vez.'],
  },
  enrolment_code_used: {
    http: 409,
    exit: EXIT.failed,
    en: ['This enrolment line was already used.', 'Ask for a new line; each works once.'],
    es: ['Esta línea de registro ya fue usada.', 'Pida una línea nueva; cada una sirve una vez.'],
  },
  enrolment_code_expired: {
    http: 410,
    exit: EXIT.failed,
    en: ['This enrolment line has expired.', 'Ask for a new line.'],
    es: ['Esta línea de registro venció.', 'Pida una línea nueva.'],
  },
  server_unreachable: {
    http: 503,
    exit: EXIT.notFound,
    retryable: true,
    en: [
      'The server {address} does not answer: {problem}',
      'Check the network and the address. What was sent is kept; run the command again.',
    ],
    es: [
      'El servidor {address} no responde: {problem}',
      'Revise la red y la dirección. Lo enviado se conserva; ejecute el comando otra vez.',
    ],
  },
  server_certificate_changed: {
    http: 495,
    exit: EXIT.failed,
    en: [
      'The server {address} shows another certificate than the one pinned at enrolment.',
      'If the provider did not announce a new one, somebody may be listening: do not go on. Otherwise enrol with a new line.',
    ],
    es: [
      'El servidor {address} muestra otro certificado que el fijado al registrar.',
      'Si el proveedor no anunció uno nuevo, alguien puede estar escuchando: no continúe. Si lo anunció, registre con una línea nueva.',
    ],
  },
  protocol: {
    http: 502,
    exit: EXIT.failed,
    en: [
      'The server answered in a way that this version does not understand: {problem}',
      'Check that the address is a Cofre server and that both are up to date.',
    ],
    es: [
      'El servidor respondió de una forma que esta versión no entiende: {problem}',
      'Revise que la dirección sea un servidor Cofre y que ambos estén actualizados.',
    ],
  },
  unauthenticated: {
    http: 401,
    exit: EXIT.revoked,
    en: [
      'The server does not accept the credential of this computer.',
      'It may have been removed: enrol it again with a new line.',
    ],
    es: [
      'El servidor no acepta la credencial de este equipo.',
      'Puede haber sido quitado: regístrelo otra vez con una línea nueva.',
    ],
  },
  device_revoked: {
    http: 403,
    exit: EXIT.revoked,
    en: ['This computer was removed from the account.', 'Ask the person who administers the backups.'],
    es: ['Este equipo fue quitado de la cuenta.', 'Consulte a quien administra los respaldos.'],
  },
  forbidden: {
    http: 403,
    exit: EXIT.failed,
    en: ['This credential may not do that: {what}', 'Use an account or a device that may, or give the kit.'],
    es: [
      'Esta credencial no puede hacer eso: {what}',
      'Use una cuenta o un equipo que pueda, o indique el kit.',
    ],
  },
  not_found: {
    http: 404,
    exit: EXIT.notFound,
    en: ['There is no {what}.', 'Check the name or id.'],
    es: ['No existe: {what}.', 'Revise el nombre o identificador.'],
  },
  ambiguous: {
    http: 409,
    exit: EXIT.usage,
    en: ['{what} fits more than one.', 'Give more characters of it.'],
    es: ['{what} corresponde a más de uno.', 'Indique más caracteres.'],
  },
  already_exists: {
    http: 409,
    exit: EXIT.failed,
    en: ['{what} already exists.', 'Choose another name.'],
    es: ['{what} ya existe.', 'Elija otro nombre.'],
  },
  invalid_request: {
    http: 400,
    exit: EXIT.failed,
    en: ['The request is not valid: {problem}', 'See /openapi.json for what is expected.'],
    es: ['La solicitud no es válida: {problem}', 'Vea /openapi.json para lo que se espera.'],
  },
  too_large: {
    http: 413,
    exit: EXIT.failed,
    en: ['{what} is larger than {limit} allowed.', 'Send less at once.'],
    es: ['{what} supera el máximo de {limit}.', 'Envíe menos por vez.'],
  },
  // Vault
  session_expired: {
    http: 410,
    exit: EXIT.failed,
    retryable: true,
    en: ['The backup session {session} has expired.', 'Run the backup again: it goes on from what was sent.'],
    es: [
      'La sesión de respaldo {session} venció.',
      'Ejecute el respaldo otra vez: sigue desde lo ya enviado.',
    ],
  },
  missing_chunks: {
    http: 409,
    exit: EXIT.failed,
    retryable: true,
    en: [
      'The server lacks {count} pieces that this snapshot needs.',
      'Run the backup again: they will be sent.',
    ],
    es: [
      'Al servidor le faltan {count} partes que este respaldo necesita.',
      'Ejecute el respaldo otra vez: serán enviadas.',
    ],
  },
  head_moved: {
    http: 409,
    exit: EXIT.failed,
    retryable: true,
    en: ['Another run of this backup set finished in between.', 'Run the backup again.'],
    es: ['Otra ejecución de este conjunto terminó mientras tanto.', 'Ejecute el respaldo otra vez.'],
  },
  roster_moved: {
    http: 409,
    exit: EXIT.failed,
    retryable: true,
    en: ['Another computer changed the roster in between.', 'Try again: it is then read anew.'],
    es: ['Otro equipo cambió la lista de equipos mientras tanto.', 'Vuelva a intentar: se lee de nuevo.'],
  },
  refset_mismatch: {
    http: 409,
    exit: EXIT.failed,
    retryable: true,
    en: [
      'The list of pieces does not agree with what the snapshot promises ({problem}).',
      'Run the backup again; the list is then sent whole.',
    ],
    es: [
      'La lista de partes no coincide con lo que promete el respaldo ({problem}).',
      'Ejecute el respaldo otra vez; la lista se envía completa.',
    ],
  },
  pack_invalid: {
    http: 422,
    exit: EXIT.failed,
    en: ['A pack was refused: {problem}', 'It was changed on its way or made wrongly; run the backup again.'],
    es: [
      'Se rechazó un paquete: {problem}',
      'Fue alterado en el camino o mal formado; ejecute el respaldo otra vez.',
    ],
  },
  over_quota: {
    http: 413,
    exit: EXIT.overQuota,
    en: [
      'The quota is used up: {missing} more are needed ({used} of {quota} used).',
      'Ask for more modules or keep less; earlier snapshots are untouched.',
    ],
    es: [
      'La cuota está agotada: faltan {missing} ({used} de {quota} usados).',
      'Pida más módulos o conserve menos; los respaldos anteriores quedan intactos.',
    ],
  },
  storage_full: {
    http: 507,
    exit: EXIT.failed,
    retryable: true,
    en: [
      'The disk of the server is full.',
      'The provider has to make room; earlier snapshots are safe and can be restored.',
    ],
    es: [
      'El disco del servidor está lleno.',
      'El proveedor debe liberar espacio; los respaldos anteriores están a salvo y se pueden restaurar.',
    ],
  },
  storage_failed: {
    http: 500,
    exit: EXIT.failed,
    en: [
      'The storage of the server failed: {problem}',
      'The server has stopped so as to promise nothing false; the provider must check the disk.',
    ],
    es: [
      'Falló el almacenamiento del servidor: {problem}',
      'El servidor se detuvo para no prometer nada falso; el proveedor debe revisar el disco.',
    ],
  },
  unavailable: {
    http: 503,
    exit: EXIT.failed,
    retryable: true,
    en: ['The server cannot do this now: {problem}', 'Try again in a moment.'],
    es: ['El servidor no puede hacerlo ahora: {problem}', 'Vuelva a intentar en un momento.'],
  },
  index_unusable: {
    http: 409,
    exit: EXIT.failed,
    en: ['The index of tenant {tenant} {problem}', 'The provider has to stop the server and run: {command}'],
    es: [
      'El índice del cliente {tenant}: {problem}',
      'El proveedor debe detener el servidor y ejecutar: {command}',
    ],
  },
  tenant_suspended: {
    http: 403,
    exit: EXIT.failed,
    en: ['This account is suspended: restores go on, backups do not.', 'Ask the provider.'],
    es: ['Esta cuenta está suspendida: se puede restaurar, pero no respaldar.', 'Consulte al proveedor.'],
  },
  snapshot_gone: {
    http: 410,
    exit: EXIT.notFound,
    en: [
      'The content of snapshot {snapshot} is gone: it was deleted, and the time to bring it back is over.',
      'Choose another one: cofre snapshots lists those that can be restored.',
    ],
    es: [
      'El contenido del respaldo {snapshot} ya no existe: fue eliminado y venció el plazo para recuperarlo.',
      'Elija otro: cofre snapshots muestra los que se pueden restaurar.',
    ],
  },
  // Restoring
  target_not_empty: {
    http: 409,
    exit: EXIT.failed,
    en: [
      'The target {path} is not empty.',
      'Choose an empty folder, or say what to do with what is there: --existing keep, replace or rename.',
    ],
    es: [
      'El destino {path} no está vacío.',
      'Elija una carpeta vacía, o diga qué hacer con lo que hay: --existing keep, replace o rename.',
    ],
  },
  target_unsafe: {
    http: 409,
    exit: EXIT.failed,
    en: ['The target {path} cannot be used: {problem}', 'Choose a real folder.'],
    es: ['No se puede usar el destino {path}: {problem}', 'Elija una carpeta real.'],
  },
  target_full: {
    http: 507,
    exit: EXIT.failed,
    en: ['There is no space left at {path}.', 'Make room or choose another target, and restore again.'],
    es: ['No queda espacio en {path}.', 'Libere espacio o elija otro destino, y restaure otra vez.'],
  },
  // Keeping and deleting snapshots
  rule_keeps_nothing: {
    http: 422,
    exit: EXIT.usage,
    en: [
      'A retention rule that keeps nothing is refused.',
      'Give at least one of its parts a number above 0.',
    ],
    es: [
      'Se rechazó una regla de retención que no conserva nada.',
      'Dé un número mayor que 0 al menos a una de sus partes.',
    ],
  },
  locked: {
    http: 409,
    exit: EXIT.failed,
    en: [
      'Snapshot {snapshot} is locked until {until}: nothing and nobody deletes it before.',
      'Delete it after that time.',
    ],
    es: [
      'El respaldo {snapshot} está bloqueado hasta {until}: nada ni nadie lo borra antes.',
      'Bórrelo después de esa fecha.',
    ],
  },
  lock_not_shortened: {
    http: 409,
    exit: EXIT.failed,
    en: [
      'The lock time of {current} days cannot be shortened.',
      'It can only be made longer: that is what it protects from.',
    ],
    es: [
      'El tiempo de bloqueo de {current} días no se puede acortar.',
      'Solo se puede alargar: de eso mismo protege.',
    ],
  },
  last_complete: {
    http: 409,
    exit: EXIT.failed,
    en: [
      'Snapshot {snapshot} is the last complete one of its set.',
      'Delete the whole set if nothing of it is needed any more.',
    ],
    es: [
      'El respaldo {snapshot} es el último completo de su conjunto.',
      'Borre el conjunto entero si ya no se necesita nada de él.',
    ],
  },
  snapshot_required: {
    http: 409,
    exit: EXIT.failed,
    en: ['Snapshot {snapshot} is needed to restore snapshot {other}.', 'Delete the other one first.'],
    es: ['El respaldo {snapshot} se necesita para restaurar el respaldo {other}.', 'Borre primero el otro.'],
  },
  // Server start
  settings_invalid: {
    http: 500,
    exit: EXIT.usage,
    en: ['The setting {setting} cannot be used: {problem}', 'Correct it and start again.'],
    es: ['El ajuste {setting} no se puede usar: {problem}', 'Corríjalo e inicie otra vez.'],
  },
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof catalogue;

export const ERROR_CATALOGUE: Readonly<Record<ErrorCode, CatalogueEntry>> = catalogue;
