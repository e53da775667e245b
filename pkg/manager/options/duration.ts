export { formatDuration, parseDuration } from '#pkg/base';
