namespace DicomServerless.Functions.Media;

/// <summary>The media types that this service names (PS3.18 8.7.3).</summary>
internal static class MediaTypes
{
    public const string Dicom = "application/dicom";
    public const string DicomJson = "application/dicom+json";
    public const string DicomXml = "application/dicom+xml";
    public const string Html = "text/html";
    public const string Json = "application/json";
    public const string Octets = "application/octet-stream";
    public const string Pdf = "application/pdf";
    public const string Plain = "text/plain";
    public const string ProblemJson = "application/problem+json";
    public const string Wadl = "application/vnd.sun.wadl+xml";
    public const string Xml = "text/xml";
    public const string Zip = "application/zip";
}
