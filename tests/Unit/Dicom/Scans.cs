using System.Globalization;
using System.Text;
using DicomServerless.Dicom;

namespace DicomServerless.Unit.Dicom;

/// <summary>Runs scans in pieces, and writes all that a scan found as text, so that two can be compared.</summary>
internal static class Scans
{
    public static (InstanceScan? Scan, DicomError? Error) Run(byte[] bytes, int step, ScanOptions? options = null)
    {
        using var scanner = new InstanceScanner(options);
        for (var i = 0; i < bytes.Length; i += step)
            if (scanner.Push(bytes.AsSpan(i, Math.Min(step, bytes.Length - i))) == ScanStatus.Refused) return (null, scanner.Error);
        return scanner.Complete() == ScanStatus.Complete ? (scanner.Result, null) : (null, scanner.Error);
    }

    public static string Describe(InstanceScan? scan)
    {
        if (scan is null) return "";
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture,
            $"{scan.TransferSyntax} {scan.Encoding} {scan.DataSetOffset} {scan.DataSetLength} {scan.Uids} {scan.IsDeflated}");
        text.AppendLine(Convert.ToHexString(scan.DataSetHash));
        if (scan.Frames is { } frames) text.AppendLine(Convert.ToHexString(frames.ToBytes()));
        foreach (var warning in scan.Warnings) text.AppendLine(warning.ToString());
        foreach (var bulk in scan.BulkValues) text.AppendLine(bulk.ToString());
        Describe(scan.FileMeta.DataSet, text);
        Describe(scan.DataSet, text);
        return text.ToString();
    }

    public static void Describe(DataSet set, StringBuilder text)
    {
        foreach (var element in set)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"{element.Path} {element.Vr.Code()} {element.ValueLength} "
                + $"{Convert.ToHexString(element.Value.Span)} {element.IsBigEndian} {element.BulkValue}");
            foreach (var item in element.Items)
            {
                text.AppendLine("item");
                Describe(item, text);
            }
        }
    }
}
