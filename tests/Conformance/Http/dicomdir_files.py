"""Reads unpacked file-sets with pydicom: every record of the DICOMDIR against its file, every file against the records.

Input: folders, a line each. Output: what is wrong, and last the counts."""
import os
import sys
import warnings

from pydicom import config, dcmread, fileset
from pydicom.fileset import FileSet

warnings.simplefilter('ignore')
fileset._PREFIXES.setdefault('ANNOTATION', 'AN')  # newer than this pydicom
config.settings.reading_validation_mode = config.IGNORE

# PS3.3 F.5: keys of type 1 that every record of the type has.
REQUIRED = {
    'PATIENT': ['PatientID'], 'STUDY': ['StudyDate', 'StudyTime', 'StudyInstanceUID', 'StudyID'],
    'SERIES': ['Modality', 'SeriesInstanceUID', 'SeriesNumber'], 'IMAGE': ['InstanceNumber'],
    'RT DOSE': ['InstanceNumber', 'DoseSummationType'], 'RT STRUCTURE SET': ['InstanceNumber', 'StructureSetLabel'],
    'RT PLAN': ['InstanceNumber', 'RTPlanLabel'],
    'PRESENTATION': ['PresentationCreationDate', 'PresentationCreationTime', 'InstanceNumber', 'ContentLabel'],
    'WAVEFORM': ['InstanceNumber', 'ContentDate', 'ContentTime'],
    'SR DOCUMENT': ['InstanceNumber', 'CompletionFlag', 'VerificationFlag', 'ContentDate', 'ContentTime', 'ConceptNameCodeSequence'],
    'KEY OBJECT DOC': ['InstanceNumber', 'ContentDate', 'ContentTime', 'ConceptNameCodeSequence'],
    'ENCAP DOC': ['InstanceNumber', 'MIMETypeOfEncapsulatedDocument'],
    'REGISTRATION': ['InstanceNumber', 'ContentDate', 'ContentTime', 'ContentLabel'], 'RAW DATA': ['ContentDate', 'ContentTime'],
}
counts = dict(sets=0, records=0, files=0)
types = {}


def check(folder, report):
    directory = dcmread(os.path.join(folder, 'DICOMDIR'))
    for record in directory.DirectoryRecordSequence:
        kind = record.DirectoryRecordType
        types[kind] = types.get(kind, 0) + 1
        counts['records'] += 1
        for keyword in REQUIRED.get(kind, []):
            if keyword not in record or record[keyword].VM == 0 or record[keyword].value in ('', None):
                report(f'{kind} lacks {keyword}')
    files = FileSet(directory)
    on_disk = {os.path.relpath(os.path.join(root, name), folder) for root, _, names in os.walk(folder) for name in names} - {'DICOMDIR'}
    referenced = set()
    for instance in files:
        path = os.path.relpath(instance.path, folder)
        referenced.add(path)
        stored = dcmread(instance.path, stop_before_pixels=True, force=True)
        for name, of_record, of_file in [
                ('SOP instance', instance.ReferencedSOPInstanceUIDInFile, stored.SOPInstanceUID),
                ('SOP class', instance.ReferencedSOPClassUIDInFile, stored.SOPClassUID),
                ('series', instance.SeriesInstanceUID, stored.SeriesInstanceUID),
                ('study', instance.StudyInstanceUID, stored.StudyInstanceUID),
                ('transfer syntax', instance.ReferencedTransferSyntaxUIDInFile,
                 stored.file_meta.get('TransferSyntaxUID', instance.ReferencedTransferSyntaxUIDInFile))]:
            if of_record != of_file:
                report(f'{path}: {name} {of_record} is {of_file}')
        if stored.get('PatientID') and str(instance.PatientID).strip() != str(stored.PatientID).strip():
            report(f'{path}: another patient id')
    for path in on_disk ^ referenced:
        report(f'{path}: only in the directory or only on disk')
    counts['sets'] += 1
    counts['files'] += len(on_disk)


for line in sys.stdin:
    folder = line.rstrip('\n')
    try:
        check(folder, lambda what: print('wrong', folder, what, sep='\t'))
    except Exception as error:
        print('wrong', folder, type(error).__name__, str(error)[:200].replace('\n', ' '), sep='\t')
print('counts', counts['sets'], counts['records'], counts['files'], ', '.join(f'{count} {kind}' for kind, count in sorted(types.items())), sep='\t')
