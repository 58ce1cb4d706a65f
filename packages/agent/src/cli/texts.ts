import type { Language } from '@cofre/shared/errors';

type Pair = readonly [en: string, es: string];

/**
 * size: one row for each thing that the command line says, both languages side by side; `{name}` are places. Errors
 * have a catalogue of their own.
 */
const TEXTS = {
  // Help
  program: [
    'Backs up files and folders, encrypted on this computer.',
    'Respalda archivos y carpetas, cifrados en este equipo.',
  ],
  usageTitle: ['Usage:', 'Uso:'],
  optionsTitle: ['Options:', 'Opciones:'],
  argumentsTitle: ['Arguments:', 'Argumentos:'],
  commandsTitle: ['Commands:', 'Comandos:'],
  helpOption: ['show this help', 'mostrar esta ayuda'],
  stateOption: [
    'folder where the agent keeps its state (else COFRE_STATE)',
    'carpeta donde el agente guarda su estado (si no, COFRE_STATE)',
  ],
  jsonOption: ['print JSON Lines for programs', 'imprimir JSON Lines para programas'],
  quietOption: ['print errors only', 'imprimir solo errores'],
  verboseOption: ['say more, also about errors', 'decir más, también de los errores'],
  kitOption: [
    'file with the recovery kit (else COFRE_KIT_FILE)',
    'archivo con el kit de recuperación (si no, COFRE_KIT_FILE)',
  ],
  dryRunOption: ['say what would be done, and do nothing', 'decir qué se haría, sin hacer nada'],
  snapshotArgument: [
    'id of a snapshot, a unique beginning of one, or "latest"',
    'identificador de un respaldo, un comienzo único, o "latest"',
  ],
  deviceOption: [
    'for "latest": of this computer (name or id)',
    'para "latest": de este equipo (nombre o id)',
  ],
  setOption: ['for "latest": of this backup set', 'para "latest": de este conjunto de respaldo'],
  unconfirmedOption: [
    'also take a snapshot that the recovery key does not confirm',
    'aceptar también un respaldo que la clave de recuperación no confirma',
  ],

  // Waiting
  waiting: [
    'The server {address} does not answer ({problem}); waiting for it …',
    'El servidor {address} no responde ({problem}); esperando …',
  ],
  interrupting: ['Ending … (again to stop at once)', 'Terminando … (otra vez para parar ya)'],

  // enroll
  enrollDescription: ['Join this computer to an account', 'Unir este equipo a una cuenta'],
  enrollLine: [
    'the enrolment line; "-" reads it from standard input (else the file COFRE_ENROLL_LINE_FILE)',
    'la línea de registro; "-" la lee de la entrada estándar (si no, el archivo COFRE_ENROLL_LINE_FILE)',
  ],
  enrollKit: [
    'where the recovery kit is made, for the first computer of an account; where it is, for the others',
    'dónde se crea el kit de recuperación, para el primer equipo de una cuenta; dónde está, para los demás',
  ],
  enrollName: ['name of this computer', 'nombre de este equipo'],
  enrollLanguage: ['language of the kit: es or en', 'idioma del kit: es o en'],
  enrolled: [
    'This computer ("{device}") now belongs to the account "{tenant}".',
    'Este equipo ("{device}") ahora pertenece a la cuenta "{tenant}".',
  ],
  kitMade: [
    'The recovery kit was written to {file} and tested. Print it and keep it away from this computer.',
    'El kit de recuperación se guardó en {file} y fue probado. Imprímalo y guárdelo lejos de este equipo.',
  ],
  kitWarning: [
    'Without it nobody can restore: not the provider, not the makers of Cofre.',
    'Sin él nadie puede restaurar: ni el proveedor ni los autores de Cofre.',
  ],
  kitFits: [
    'The recovery kit {file} fits this account.',
    'El kit de recuperación {file} corresponde a esta cuenta.',
  ],
  fingerprint: ['Fingerprint', 'Huella'],

  // backup
  backupDescription: ['Back up files and folders', 'Respaldar archivos y carpetas'],
  backupPaths: ['files and folders', 'archivos y carpetas'],
  backupSet: ['name of the backup set', 'nombre del conjunto de respaldo'],
  excludeOption: [
    'leave out what matches, as in .gitignore (may be repeated)',
    'omitir lo que coincida, como en .gitignore (se puede repetir)',
  ],
  excludeFileOption: ['file with such patterns, one a line', 'archivo con tales patrones, uno por línea'],
  excludeCachesOption: ['leave out folders with a CACHEDIR.TAG', 'omitir carpetas con un CACHEDIR.TAG'],
  oneFileSystemOption: [
    'stay on the file system of each path',
    'no salir del sistema de archivos de cada ruta',
  ],
  filesFromOption: [
    'file with paths, one a line ("-": standard input)',
    'archivo con rutas, una por línea ("-": entrada estándar)',
  ],
  filesFromRawOption: [
    'file with paths, each ended by NUL: for any name',
    'archivo con rutas, cada una terminada en NUL: para cualquier nombre',
  ],
  fullOption: [
    'read all files again, and send again what the server does not have whole',
    'leer todos los archivos otra vez y volver a enviar lo que el servidor no tenga íntegro',
  ],
  differentialOption: [
    'compare with the last full snapshot: read again what changed since then (default: with the last one of any kind)',
    'comparar con el último respaldo total: leer otra vez lo que cambió desde entonces (por defecto: con el último de cualquier tipo)',
  ],
  backupDone: ['Snapshot {id} (set "{set}", {kind})', 'Respaldo {id} (conjunto "{set}", {kind})'],
  becameFull: [
    'This computer knows no full backup to compare with: the differential one became full.',
    'Este equipo no conoce un respaldo total con el cual comparar: el diferencial se hizo total.',
  ],
  healed: [
    'Healed: {count} damaged pieces on the server are whole again.',
    'Reparado: {count} partes dañadas en el servidor están íntegras otra vez.',
  ],
  unverified: [
    '{count} pieces were not checked on the disk of the server lately; it checks them next.',
    '{count} partes no se comprobaron últimamente en el disco del servidor; las comprobará enseguida.',
  ],
  backupDry: ['Dry run: nothing was sent.', 'Simulación: no se envió nada.'],
  files: ['Files', 'Archivos'],
  filesCounts: [
    '{new} new, {changed} changed, {unmodified} unmodified, {failed} failed',
    '{new} nuevos, {changed} modificados, {unmodified} sin cambios, {failed} con fallas',
  ],
  read: ['Read', 'Leído'],
  readOf: ['{read} of {total}', '{read} de {total}'],
  sent: ['Sent', 'Enviado'],
  duration: ['Time', 'Tiempo'],
  sourceIncomplete: [
    'Some source files could not be read whole; they are named above.',
    'Algunos archivos no se pudieron leer completos; se nombran arriba.',
  ],
  sourceProblem: ['warning: {path}: {reason}', 'aviso: {path}: {reason}'],
  sourceSkipped: ['skipped: {path}: {reason}', 'omitido: {path}: {reason}'],
  reasonChanged: ['changed while it was read', 'cambió mientras se leía'],
  reasonVanished: ['gone before it was read', 'desapareció antes de leerse'],
  reasonDenied: ['may not be read', 'no se permite leerlo'],
  reasonLost: [
    'its content was lost on the server and cannot be read again; it is kept without it',
    'su contenido se perdió en el servidor y no se puede leer otra vez; se conserva sin él',
  ],
  reasonSocket: ['is a socket', 'es un socket'],
  progressBackup: [
    '{done} of {found} files, read {read}, sent {sent}',
    '{done} de {found} archivos, leído {read}, enviado {sent}',
  ],

  // snapshots
  snapshotsDescription: ['List the snapshots', 'Listar los respaldos'],
  snapshotsNone: ['There is no snapshot yet.', 'Aún no hay respaldos.'],
  columnSnapshot: ['SNAPSHOT', 'RESPALDO'],
  columnTime: ['TAKEN', 'FECHA'],
  columnDevice: ['COMPUTER', 'EQUIPO'],
  columnSet: ['SET', 'CONJUNTO'],
  columnKind: ['KIND', 'TIPO'],
  columnFiles: ['FILES', 'ARCHIVOS'],
  columnSize: ['SIZE', 'TAMAÑO'],
  columnState: ['STATE', 'ESTADO'],
  columnPaths: ['PATHS', 'RUTAS'],
  stateComplete: ['complete', 'completo'],
  statePartial: ['partial', 'parcial'],
  stateDeleted: [
    '{extent}, deleted: can be restored until {until}',
    '{extent}, eliminado: se puede restaurar hasta {until}',
  ],
  kindFull: ['full', 'total'],
  kindIncremental: ['incremental', 'incremental'],
  kindDifferential: ['differential', 'diferencial'],
  stateUnconfirmed: ['UNCONFIRMED: {problem}', 'SIN CONFIRMAR: {problem}'],
  stateUnreadable: ['UNREADABLE: {problem}', 'ILEGIBLE: {problem}'],
  snapshotsKitHint: [
    'With --kit FILE the names of sets and computers are shown.',
    'Con --kit ARCHIVO se muestran los nombres de conjuntos y equipos.',
  ],
  chainFinding: [
    'warning: the history of a set is not whole at {id}: {detail}',
    'aviso: el historial de un conjunto no está completo en {id}: {detail}',
  ],

  // status
  statusDescription: [
    'Show this computer, its account and its server',
    'Mostrar este equipo, su cuenta y su servidor',
  ],
  account: ['Account', 'Cuenta'],
  computer: ['Computer', 'Equipo'],
  server: ['Server', 'Servidor'],
  used: ['Used', 'Usado'],
  usedOf: ['{used} of {quota} ({percent} %)', '{used} de {quota} ({percent} %)'],
  suspended: [
    'suspended: restores go on, backups do not',
    'suspendida: se puede restaurar, pero no respaldar',
  ],
  stateFolder: ['State', 'Estado'],
  cacheFolder: ['Cache', 'Caché'],
  enrolledSince: ['Enrolled', 'Registrado'],
  latestSnapshot: ['Latest snapshot', 'Último respaldo'],
  none: ['none', 'ninguno'],
  version: ['Version', 'Versión'],

  // key
  keyDescription: ['The recovery key of the account', 'La clave de recuperación de la cuenta'],
  showKitDescription: ['Show the recovery kit again', 'Mostrar otra vez el kit de recuperación'],
  kitPlace: [
    'At enrolment the recovery kit was at {file}.',
    'Al registrar, el kit de recuperación estaba en {file}.',
  ],
  kitNotKept: [
    'This computer does not keep the recovery key: only the kit has it. With --kit FILE it is printed again.',
    'Este equipo no guarda la clave de recuperación: solo el kit la tiene. Con --kit ARCHIVO se imprime otra vez.',
  ],
  testKeyDescription: [
    'Prove that a kit opens what this account has on the server',
    'Probar que un kit abre lo que esta cuenta tiene en el servidor',
  ],
  keyOpens: [
    'The kit {file} opens this account: tried with the domain of this computer and {periods} key periods of {snapshots} snapshots.',
    'El kit {file} abre esta cuenta: probado con el dominio de este equipo y {periods} períodos de clave de {snapshots} respaldos.',
  ],

  // ls, find, diff
  lsDescription: ['List what a snapshot has in a folder', 'Listar lo que un respaldo tiene en una carpeta'],
  lsPath: ['absolute path of a folder', 'ruta absoluta de una carpeta'],
  recursiveOption: ['also what lies in the folders below', 'también lo que está en las carpetas interiores'],
  findDescription: ['Find names in a snapshot', 'Buscar nombres en un respaldo'],
  findPattern: [
    'as for --exclude: a name, with * and ?; with / in front an absolute path',
    'como en --exclude: un nombre, con * y ?; con / delante, una ruta absoluta',
  ],
  diffDescription: [
    'Show what changed from one snapshot to another (+ added, - removed, M content, U metadata, T type)',
    'Mostrar qué cambió de un respaldo a otro (+ nuevo, - quitado, M contenido, U metadatos, T tipo)',
  ],
  diffDone: [
    '{added} added, {removed} removed, {changed} changed',
    '{added} nuevos, {removed} quitados, {changed} modificados',
  ],

  // restore
  restoreDescription: [
    'Restore a snapshot, or paths of it, below a folder',
    'Restaurar un respaldo, o rutas de él, bajo una carpeta',
  ],
  restorePaths: [
    'absolute paths as the snapshot has them; none means all',
    'rutas absolutas como las tiene el respaldo; ninguna significa todo',
  ],
  targetOption: [
    'folder to restore into; the absolute path of each thing is put below it',
    'carpeta en la que restaurar; la ruta absoluta de cada cosa se pone debajo',
  ],
  existingOption: ['what to do with what is there already', 'qué hacer con lo que ya existe'],
  ownersOption: [
    'set owners by number, by name, only one’s own, or leave them (default: numbers as root, else own)',
    'poner dueños por número, por nombre, solo los propios, o dejarlos (por defecto: numbers como root, si no own)',
  ],
  devicesOption: ['leave out device nodes', 'omitir nodos de dispositivo'],
  setuidOption: ['leave out setuid and setgid bits', 'omitir los bits setuid y setgid'],
  restoreDone: ['Snapshot {id} was restored into {target}', 'El respaldo {id} se restauró en {target}'],
  restoreDry: [
    'Dry run: this is in snapshot {id}; nothing was written.',
    'Simulación: esto hay en el respaldo {id}; no se escribió nada.',
  ],
  restorePartial: [
    'This snapshot is partial: its backup was not finished, and files may be missing from it.',
    'Este respaldo es parcial: no se terminó de hacer, y pueden faltarle archivos.',
  ],
  restoreCounts: [
    '{files} files, {folders} folders, {links} links, {specials} devices and pipes',
    '{files} archivos, {folders} carpetas, {links} enlaces, {specials} dispositivos y tuberías',
  ],
  content: ['Content', 'Contenido'],
  received: ['Received', 'Recibido'],
  progressRestore: ['{done} of {total} files, {bytes}', '{done} de {total} archivos, {bytes}'],
  noteStale: ['note: {path}: an earlier version ({detail})', 'nota: {path}: una versión anterior ({detail})'],
  noteChanged: [
    'note: {path}: changed while it was backed up',
    'nota: {path}: cambió mientras se respaldaba',
  ],
  notePlaceholder: [
    'note: {path}: its content was not on the computer',
    'nota: {path}: su contenido no estaba en el equipo',
  ],
  noteLost: [
    'warning: {path}: not restored, its content is lost',
    'aviso: {path}: no se restauró, su contenido se perdió',
  ],
  noteLaterFormat: [
    'warning: {path}: not restored, a newer version of Cofre wrote its content',
    'aviso: {path}: no se restauró, una versión más nueva de Cofre escribió su contenido',
  ],
  noteFolderUnknown: [
    'warning: {path}: made without its owner, permissions and times, which are lost',
    'aviso: {path}: se creó sin su dueño, permisos ni fechas, que se perdieron',
  ],
  entriesLost: [
    'warning: {count} entries are lost, from {from} up to {before}: {detail}',
    'aviso: se perdieron {count} entradas, desde {from} hasta antes de {before}: {detail}',
  ],
  entriesLostToEnd: [
    'warning: {count} entries are lost, {from} and all behind it: {detail}',
    'aviso: se perdieron {count} entradas, {from} y todo lo que sigue: {detail}',
  ],
  targetProblem: ['warning: {path}: {kind} ({detail})', 'aviso: {path}: {kind} ({detail})'],
  problemNotRestored: ['not restored', 'no restaurado'],
  problemUnsafePath: ['not restored, its path is not safe', 'no restaurado, su ruta no es segura'],
  problemKept: ['left out, what was there was kept', 'omitido, se conservó lo que había'],
  problemRenamed: ['restored under another name', 'restaurado con otro nombre'],
  problemDevice: ['device node left out', 'nodo de dispositivo omitido'],
  problemOwner: ['owner not set', 'dueño no puesto'],
  problemMode: ['permissions not set', 'permisos no puestos'],
  problemSetuid: ['setuid or setgid bit left out', 'bit setuid o setgid omitido'],
  problemXattr: ['extended attribute not set', 'atributo extendido no puesto'],
  problemTimes: ['times not set', 'fechas no puestas'],

  // verify
  verifyDescription: [
    'Check that the snapshots can be restored; with --kit their lists of files, with --read-data all content too',
    'Comprobar que los respaldos se pueden restaurar; con --kit sus listas de archivos, con --read-data también todo el contenido',
  ],
  readDataOption: ['fetch and open all content', 'traer y abrir todo el contenido'],
  progressVerify: ['{done} of {total} snapshots, read {read}', '{done} de {total} respaldos, leído {read}'],
  finding: ['{id}: {code}: {detail}', '{id}: {code}: {detail}'],
  morePaths: ['and {count} more', 'y {count} más'],
  verifyClean: [
    '{snapshots} snapshots checked in {time} ({read} read): nothing is wrong.',
    '{snapshots} respaldos comprobados en {time} ({read} leídos): todo está bien.',
  ],
  verifyFound: [
    '{snapshots} snapshots checked in {time} ({read} read): {findings} findings, named above.',
    '{snapshots} respaldos comprobados en {time} ({read} leídos): {findings} hallazgos, nombrados arriba.',
  ],

  // completion
  completionDescription: [
    'Print a script that completes commands in a shell',
    'Imprimir un guion que completa los comandos en un intérprete',
  ],
  completionShell: ['bash, zsh or fish', 'bash, zsh o fish'],

  // version
  versionDescription: ['Show the version', 'Mostrar la versión'],
} as const satisfies Record<string, Pair>;

export type TextKey = keyof typeof TEXTS;

/** Gives a text in the reader's language, its places filled. */
export type Say = (key: TextKey, places?: Readonly<Record<string, string | number>>) => string;

/** What the command line says, in one language. */
export function sayIn(language: Language): Say {
  const column = language === 'es' ? 1 : 0;
  return (key, places = {}) =>
    TEXTS[key][column].replace(/\{(\w+)\}/g, (place, name: string) => String(places[name] ?? place));
}
