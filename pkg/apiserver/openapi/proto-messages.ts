/** A scalar, `any` (its JSON, as a text of YAML), or the name of a message. */
export type FieldType = 'string' | 'bool' | 'int64' | 'double' | 'any' | MessageName;

export interface FieldRule {
  readonly number: number;
  readonly type: FieldType;
  readonly repeated?: true;
  /** The object is written as a message of pairs, one for each member. */
  readonly named?: true;
}

export type MessageName =
  | 'Document'
  | 'Info'
  | 'PathItem'
  | 'Operation'
  | 'Response'
  | 'Schema'
  | 'BodyParameter'
  | 'PathParameter'
  | 'QueryParameter';

const rules = (text: string): ReadonlyMap<string, FieldRule> =>
  new Map(
    text
      .trim()
      .split(/\s+/)
      .map((rule): readonly [string, FieldRule] => {
        const [, key = '', number = '', type = '', suffix = ''] = /^([\w$]+)=(\d+):(\w+)(.*)$/.exec(rule) ?? [];
        return [
          key,
          {
            number: Number(number),
            type: type as FieldType,
            ...(suffix === '[]' ? { repeated: true as const } : {}),
            ...(suffix === '{}' ? { named: true as const } : {}),
          },
        ];
      }),
  );

/** Limits of values, which several messages have in this order from some number on. */
const limits = (first: number): string => {
  const names = [
    'maximum:double',
    'exclusiveMaximum:bool',
    'minimum:double',
    'exclusiveMinimum:bool',
    'maxLength:int64',
    'minLength:int64',
    'pattern:string',
    'maxItems:int64',
    'minItems:int64',
    'uniqueItems:bool',
  ];
  return names.map((name, index) => name.replace(':', `=${first + index}:`)).join(' ');
};

/** Fields by their key in JSON (`openapiv2/OpenAPIv2.proto` of gnostic). */
export const MESSAGES: Readonly<Record<MessageName, ReadonlyMap<string, FieldRule>>> = {
  Document: rules(
    'swagger=1:string info=2:Info host=3:string basePath=4:string schemes=5:string[] consumes=6:string[] produces=7:string[]',
  ),
  Info: rules('title=1:string version=2:string description=3:string'),
  PathItem: rules(
    'get=2:Operation put=3:Operation post=4:Operation delete=5:Operation options=6:Operation head=7:Operation patch=8:Operation',
  ),
  Operation: rules(
    'tags=1:string[] summary=2:string description=3:string operationId=5:string produces=6:string[] consumes=7:string[] schemes=10:string[] deprecated=11:bool',
  ),
  Response: rules('description=1:string'),
  Schema: rules(`
    $ref=1:string format=2:string title=3:string description=4:string default=5:any multipleOf=6:double ${limits(7)}
    maxProperties=17:int64 minProperties=18:int64 required=19:string[] enum=20:any[] allOf=24:Schema[] properties=25:Schema{}
    discriminator=26:string readOnly=27:bool example=30:any
  `),
  BodyParameter: rules('description=1:string name=2:string in=3:string required=4:bool schema=5:Schema'),
  PathParameter: rules(
    `required=1:bool in=2:string description=3:string name=4:string type=5:string format=6:string default=9:any ${limits(10)} enum=20:any[] multipleOf=21:double`,
  ),
  QueryParameter: rules(
    `required=1:bool in=2:string description=3:string name=4:string allowEmptyValue=5:bool type=6:string format=7:string default=10:any ${limits(11)} enum=21:any[] multipleOf=22:double`,
  ),
};

/** The field of each message that holds what begins with `x-`. */
export const EXTENSIONS: Readonly<Record<MessageName, number>> = {
  Document: 16,
  Info: 7,
  PathItem: 10,
  Operation: 13,
  Response: 5,
  Schema: 31,
  BodyParameter: 6,
  PathParameter: 22,
  QueryParameter: 23,
};
