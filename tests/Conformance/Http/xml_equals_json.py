"""Compares DICOM JSON as pydicom reads it with the Native DICOM Model as xml.etree reads it.

The argument names a file with lines of two paths: JSON (one object), XML. Prints the differences and, last, how much was compared.
"""
import base64
import sys
import xml.etree.ElementTree as ET
from pydicom import config
from pydicom.dataset import Dataset
from pydicom.datadict import keyword_for_tag
import json

config.settings.reading_validation_mode = config.IGNORE
config.settings.writing_validation_mode = config.IGNORE
NS = '{http://dicom.nema.org/PS3.19/models/NativeDICOM}'
GROUPS = ('Alphabetic', 'Ideographic', 'Phonetic')
COMPONENTS = ('FamilyName', 'GivenName', 'MiddleName', 'NamePrefix', 'NameSuffix')
BINARY = {'OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'UN'}
FLOATS = {'FL', 'FD'}
compared = [0, 0, 0]
inlined = [0]


def name_of(element):
    groups = []
    for group in GROUPS:
        node = element.find(NS + group)
        parts = [] if node is None else [node.find(NS + c) for c in COMPONENTS]
        texts = ['' if p is None else p.text or '' for p in parts]
        while parts and parts[-1] is None:
            parts.pop()
            texts.pop()
        groups.append('^'.join(texts))
    return '='.join(groups).rstrip('=')


def elements_of(node, report):
    """What the XML says: real tag -> (vr, node)."""
    found, creators = {}, {}
    nodes = node.findall(NS + 'DicomAttribute')
    for a in nodes:
        tag = int(a.get('tag'), 16)
        if tag >> 16 & 1 and 0x10 <= tag & 0xFFFF <= 0xFF and a.get('privateCreator') is None:
            value = a.find(NS + 'Value')
            creators[(tag >> 16, (value.text or '') if value is not None else '')] = tag & 0xFF
    for a in nodes:
        tag = int(a.get('tag'), 16)
        creator = a.get('privateCreator')
        if creator is not None:
            compared[2] += 1
            if tag & 0xFF00:
                report('block given beside a creator')
            tag |= creators[(tag >> 16, creator)] << 8
        if tag in found:
            report(f'{tag:08X} twice')
        found[tag] = (a.get('vr'), a)
        keyword = keyword_for_tag(tag)
        if keyword and a.get('keyword') and keyword != a.get('keyword'):
            report(f'{tag:08X} keyword {a.get("keyword")}')
    return found


def values(elem):
    if elem.value is None or elem.value == '':
        return []
    if elem.VM == 1:
        return [elem.value]
    return list(elem.value)


def text(vr, value):
    if vr == 'PN':
        return str(value).rstrip('=')
    if vr in FLOATS:
        return float(value)
    if vr == 'AT':
        return f'{int(value):08X}'
    if vr in ('DS', 'IS'):
        return float(value) if value not in ('', None) else ''
    return '' if value is None else str(value)


def compare(raw, dataset, node, path, report):
    found = elements_of(node, report)
    if set(found) != {int(k, 16) for k in raw}:
        report(f'{path}: elements differ')
        return
    for key, member in raw.items():
        tag = int(key, 16)
        vr, a = found[tag]
        where = f'{path}{key}'
        compared[1] += 1
        if vr != member['vr']:
            report(f'{where}: vr {vr} {member["vr"]}')
        elif 'BulkDataURI' in member:
            bulk = a.find(NS + 'BulkData')
            if bulk is None or bulk.get('uri') != member['BulkDataURI']:
                report(f'{where}: BulkData')
        elif vr == 'SQ':
            items = a.findall(NS + 'Item')
            if [i.get('number') for i in items] != [str(n + 1) for n in range(len(member.get('Value', [])))]:
                report(f'{where}: items')
                continue
            for n, (r, d, i) in enumerate(zip(member.get('Value', []), dataset[tag].value, items)):
                compare(r, d, i, f'{where}/{n + 1}/', report)
        elif a.find(NS + 'InlineBinary') is not None:
            data = base64.b64decode(a.find(NS + 'InlineBinary').text or '')
            if vr in BINARY:
                if data != dataset[tag].value:
                    report(f'{where}: InlineBinary')
            else:
                inlined[0] += 1
                if data.decode('utf-8') != '\\'.join(text(vr, v) for v in values(dataset[tag])):
                    report(f'{where}: text as InlineBinary')
        elif vr not in BINARY:
            texts = [name_of(v) for v in a.findall(NS + 'PersonName')] if vr == 'PN' else [v.text or '' for v in a.findall(NS + 'Value')]
            numbers = [v.get('number') for v in a if v.tag in (NS + 'Value', NS + 'PersonName')]
            if numbers != [str(n + 1) for n in range(len(numbers))]:
                report(f'{where}: numbers')
            try:
                mine = [text(vr, t) if vr in FLOATS or (vr in ('DS', 'IS') and t) else t for t in texts]
                theirs = [text(vr, v) for v in values(dataset[tag])]
            except ValueError:
                # No number, as a few samples have: as it stands in the JSON.
                mine, theirs = texts, ['' if v is None else str(v) for v in member.get('Value', [])]
            if mine != theirs and not (mine != mine or all(x == y or x != x and y != y for x, y in zip(mine, theirs)) and len(mine) == len(theirs)):
                if texts != ['' if v is None else str(v) for v in member.get('Value', [])]:
                    report(f'{where}: {vr} values')


def main():
    for line in open(sys.argv[1]):
        name, json_path, xml_path = line.rstrip('\n').split('\t')
        report = lambda what: print('different', name, what, sep='\t')
        raw = json.load(open(json_path, encoding='utf-8'))
        root = ET.parse(xml_path).getroot()
        if root.tag != NS + 'NativeDicomModel':
            report('root')
        try:
            dataset = Dataset.from_json(raw, lambda *args: b'')
            list(dataset.iterall())
        except Exception as e:  # pydicom's limits, not ours: told by the caller
            print('PYDICOM-FAILS', name, type(e).__name__, str(e)[:80].replace('\n', ' '), sep='\t')
            continue
        compared[0] += 1
        try:
            compare(raw, dataset, root, '', report)
        except Exception as e:
            print('PYDICOM-FAILS', name, type(e).__name__, str(e)[:80].replace('\n', ' '), sep='\t')
    print('compared', *compared, inlined[0], sep='\t')


main()
