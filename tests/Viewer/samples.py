"""Makes the studies that the viewer is tested with: one a sample, with UIDs and a name of its own, and a CT series of eight slices out of one.
usage: samples.py SAMPLES CT_IMAGE OUT"""
import os
import sys
from pydicom import dcmread
from pydicom.uid import UID

samples, ct_image, out = sys.argv[1:]
# Older releases do not know the transfer syntaxes of HTJ2K.
UID.is_transfer_syntax = property(lambda self: True)
ROOT = "1.2.826.0.1.3680043.10.1457.7"


def save(data, name, study, series, instance):
    data.StudyInstanceUID = f"{ROOT}.{study}"
    data.SeriesInstanceUID = f"{ROOT}.{study}.{series}"
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"{ROOT}.{study}.{series}.{instance}"
    data.PatientName = f"Viewer^{name}"
    data.PatientID = f"V-{name}"
    data.StudyID = name[:16]
    data.StudyDate = f"202601{study:02d}"
    data.StudyTime = "101500"
    data.StudyDescription = f"viewer {name}"
    data.AccessionNumber = f"A{study}"
    if "SeriesNumber" not in data or data.SeriesNumber is None:
        data.SeriesNumber = series
    if not data.get("Modality"):
        data.Modality = "OT"
    data.save_as(os.path.join(out, f"{name}-{instance}.dcm"), write_like_original=True)


for number, file in enumerate(sorted(os.listdir(samples)), start=2):
    data = dcmread(os.path.join(samples, file), force=True)
    name = os.path.splitext(file)[0]
    if name.startswith("segment"):
        # The segmentation names the images of its study, so that one stays as it is.
        data.save_as(os.path.join(out, file), write_like_original=True)
    else:
        save(data, name, number, 1, 1)

slices = 8
for i in range(slices):
    data = dcmread(ct_image)
    row = data.Columns * 2
    # Each slice is turned on by some rows, so that no two look the same.
    data.PixelData = data.PixelData[row * 40 * i:] + data.PixelData[:row * 40 * i]
    x, y, z = (float(value) for value in data.ImagePositionPatient)
    data.ImagePositionPatient = [str(x), str(y), str(z - 5 * i)]
    data.SliceLocation = str(z - 5 * i)
    data.InstanceNumber = str(i + 1)
    save(data, "ct-series", 1, 1, i + 1)
