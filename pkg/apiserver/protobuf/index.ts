/**
 * Reads request bodies in Kubernetes' protobuf encoding, which Go clients (kubectl among them) send for built-in kinds.
 * Answers are never encoded so: such clients take JSON as well.
 *
 *     if (isProtobuf(contentType)) object = decodeProtobuf(bytes);
 */
export { PROTOBUF, decodeProtobuf } from './decode.ts';
