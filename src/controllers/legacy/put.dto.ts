// What does the plain interface take for a write? The one body that is validated by decorators.

import { IsString, ValidateIf } from 'class-validator';

/** What `/put` takes, as JSON, form fields or query parameters. */
export class PutDto {
  @IsString({ message: 'key must be a string' })
  key!: string;

  @ValidateIf((dto: PutDto) => dto.value !== '')
  @IsString({ message: 'value must be a string' })
  value!: string;
}
