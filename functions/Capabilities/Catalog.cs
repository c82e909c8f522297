using DicomServerless.Functions.Media;
namespace DicomServerless.Functions.Capabilities;

/// <summary>
/// Every resource below <c>/dicomweb</c>, once: the Capabilities (PS3.18 8.9), the OpenAPI document and the conformance statement are made from it, and a test
/// holds it against the routes.
/// </summary>
internal static class Catalog
{
    private const string Study = "/studies/{study}", Series = Study + "/series/{series}", Instance = Series + "/instances/{instance}";

    private const string CommitmentRequest = "/commitment-requests/{transaction}";

    private static readonly Parameter Accept = new("accept", "Media types, instead of the Accept header (PS3.18 8.7.8.1).");

    private static readonly Parameter[] Search =
    [
        new("{attribute}", "Any attribute, as keyword, tag or path of them, with the value to match (8.3.4.1)."),
        new("includefield", "Attributes to return beside the usual ones, or all (8.3.4.3)."),
        new("fuzzymatching", "Whether names match by the beginnings of their words (8.3.4.2).", "boolean"),
        new("emptyvaluematching", "Whether the value \"\", two quotation marks, matches what is empty or absent (8.3.4.5).", "boolean"),
        new("multiplevaluematching", "Whether all of the values between backslashes must be there (8.3.4.6); else lists are alternatives where the VR allows.",
            "boolean"),
        new("limit", "The most results (8.3.4.4).", "integer"),
        new("offset", "Results to pass over (8.3.4.4).", "integer"),
        new("cursor", "The next page, from the link rel=\"next\" of the last one; it stands alone, since it holds the whole query."),
        Accept,
    ];

    private static readonly int[] Searched = [200, 204, 406], Retrieved = [200, 206, 304, 404, 406, 416], Stored = [200, 202, 406, 409, 413, 415];

    /// <summary>All of them, in the order in which they are shown.</summary>
    public static readonly Operation[] All =
    [
        Capability("OPTIONS", "", "capabilities", "What this service can do (8.9).", MediaTypes.Wadl, MediaTypes.Json),
        Capability("GET", "", "getRoot", "The same, for a browser.", MediaTypes.Wadl, MediaTypes.Json),
        Capability("GET", "/capabilities", "getCapabilities", "The same, for where OPTIONS is answered by somebody else.", MediaTypes.Wadl, MediaTypes.Json),
        Capability("GET", "/openapi.json", "openApi", "The same as an OpenAPI document.", MediaTypes.Json),

        Find("/studies", "searchStudies", "studies"), Find("/series", "searchSeries", "series"), Find("/instances", "searchInstances", "instances"),
        Find(Study + "/series", "searchSeriesOfStudy", "series of a study"), Find(Study + "/instances", "searchInstancesOfStudy", "instances of a study"),
        Find(Series + "/instances", "searchInstancesOfSeries", "instances of a series"),

        Store("/studies", "store", "Stores objects (10.5)."), Store(Study, "storeInStudy", "Stores objects of one study (10.5)."),

        Retrieve(Study, "retrieveStudy", "The objects of a study (10.4.1.1.1); as a zip they come with a DICOMDIR.",
            Multipart(MediaTypes.Dicom), MediaTypes.Zip),
        Retrieve(Series, "retrieveSeries", "The objects of a series (10.4.1.1.1).", Multipart(MediaTypes.Dicom), MediaTypes.Zip),
        Retrieve(Instance, "retrieveInstance", "An object (10.4.1.1.1).", Multipart(MediaTypes.Dicom), MediaTypes.Dicom, MediaTypes.Zip),
        Retrieve(Study + "/metadata", "studyMetadata", "All attributes of a study's instances (10.4.1.1.2).",
            MediaTypes.DicomJson, MediaTypes.Json, Multipart(MediaTypes.DicomXml)),
        Retrieve(Series + "/metadata", "seriesMetadata", "All attributes of a series' instances (10.4.1.1.2).",
            MediaTypes.DicomJson, MediaTypes.Json, Multipart(MediaTypes.DicomXml)),
        Retrieve(Instance + "/metadata", "instanceMetadata", "All attributes of an instance (10.4.1.1.2).",
            MediaTypes.DicomJson, MediaTypes.Json, Multipart(MediaTypes.DicomXml)),
        Retrieve(Instance + "/frames/{frames}", "frames", "Frames by their numbers, with commas (10.4.1.1.6).",
            Multipart(MediaTypes.Octets), MediaTypes.Octets, Multipart("image/*"), "image/*"),
        Retrieve(Study + "/bulkdata", "studyBulkData", "Every bulk value of a study (10.4.1.1.5).", Multipart(MediaTypes.Octets)),
        Retrieve(Series + "/bulkdata", "seriesBulkData", "Every bulk value of a series (10.4.1.1.5).", Multipart(MediaTypes.Octets)),
        Retrieve(Instance + "/bulkdata", "instanceBulkData", "Every bulk value of an instance (10.4.1.1.5).", Multipart(MediaTypes.Octets)),
        Retrieve(Instance + "/bulkdata/{**path}", "bulkData", "One bulk value, as a BulkDataURI names it (10.4.1.1.5).",
            MediaTypes.Octets, Multipart(MediaTypes.Octets), MediaTypes.Pdf),
        Retrieve(Study + "/pixeldata", "studyPixelData", "The pixel data of a study's instances (10.4.1.1.5).",
            Multipart(MediaTypes.Octets), Multipart("image/*")),
        Retrieve(Series + "/pixeldata", "seriesPixelData", "The pixel data of a series' instances (10.4.1.1.5).",
            Multipart(MediaTypes.Octets), Multipart("image/*")),
        Retrieve(Instance + "/pixeldata", "instancePixelData", "The pixel data of an instance (10.4.1.1.5).",
            Multipart(MediaTypes.Octets), Multipart("image/*")),
        .. Rendered(Study, "Study"), .. Rendered(Series, "Series"), .. Rendered(Instance, "Instance"), .. Rendered(Instance + "/frames/{frames}", "Frames"),
        new("GET", "/wado", "wadoUri", "One object by the parameters of older viewers (PS3.18 9).")
        {
            Produces = [MediaTypes.Dicom],
            Parameters =
            [
                new("requestType", "WADO."), new("studyUID", "Its study."), new("seriesUID", "Its series."), new("objectUID", "Its SOP Instance UID."),
                new("contentType", "The media type wanted."), new("transferSyntax", "The transfer syntax wanted of application/dicom."),
            ],
            Statuses = [200, 206, 304, 404, 406, 416],
        },

        new("PUT", Instance, "storeInstance", "Stores one object in its place: what is there is replaced.")
            { Consumes = [MediaTypes.Dicom], Produces = [MediaTypes.DicomJson, MediaTypes.DicomXml, MediaTypes.Json],
            Statuses = [200, 201, 202, 406, 409, 413, 415] },
        new("POST", "/uploads", "beginUpload", "Begins the upload of an object larger than a request may be.")
            { Produces = [MediaTypes.Json], Statuses = [201] },
        new("PUT", "/uploads/{id}/blocks/{number}", "putBlock", "A block of it.") { Consumes = [MediaTypes.Octets], Statuses = [201, 404, 413] },
        new("POST", "/uploads/{id}/complete", "completeUpload", "Stores it.")
            { Consumes = [MediaTypes.Json], Produces = [MediaTypes.DicomJson], Statuses = [200, 202, 404, 409] },

        new("POST", CommitmentRequest, "requestCommitment", "Asks for storage commitment of instances (13.4); answered at once.")
            { Consumes = [MediaTypes.DicomJson, MediaTypes.DicomXml],
            Produces = [MediaTypes.DicomJson, MediaTypes.Json, MediaTypes.DicomXml], Parameters = [Accept], Statuses = [200, 406, 409, 415] },
        new("GET", CommitmentRequest, "commitmentResult", "The result of a commitment request again (13.5), for a week.")
            { Produces = [MediaTypes.DicomJson, MediaTypes.Json, MediaTypes.DicomXml], Parameters = [Accept], Statuses = [200, 404, 406] },

        Delete(Study, "deleteStudy", "a study"), Delete(Series, "deleteSeries", "a series"), Delete(Instance, "deleteInstance", "an instance"),
        new("GET", "/querytags", "queryTags", "The attributes that are searched by an index of their own, and how far that is built.")
            { Produces = [MediaTypes.Json] },
    ];

    private static Operation[] Rendered(string path, string name) =>
    [
        Retrieve(path + "/rendered", "rendered" + name, "What consumers show: documents and videos as they are, reports as HTML; images not yet (10.4.1.1.3).",
            MediaTypes.Pdf, "video/mp4", "video/mpeg", MediaTypes.Html, MediaTypes.Plain),
        Retrieve(path + "/thumbnail", "thumbnail" + name, "Not made yet: 406 (10.4.1.1.4)."),
    ];

    private static Operation Delete(string path, string name, string what) =>
        new("DELETE", path, name, $"Deletes {what}; not in PS3.18.") { Statuses = [204, 404] };

    private static Operation Capability(string method, string path, string name, string summary, params string[] produces) =>
        new(method, path, name, summary) { Produces = produces, Parameters = [Accept] };

    private static Operation Find(string path, string name, string what) =>
        new("GET", path, name, $"Searches {what} (10.6).")
            { Produces = [MediaTypes.DicomJson, MediaTypes.Json, Multipart(MediaTypes.DicomXml)], Parameters = Search, Statuses = Searched };

    private static Operation Store(string path, string name, string summary) =>
        new("POST", path, name, summary)
            { Consumes = [Multipart(MediaTypes.Dicom), Multipart(MediaTypes.DicomJson), Multipart(MediaTypes.DicomXml), MediaTypes.Dicom, MediaTypes.DicomJson,
            MediaTypes.DicomXml], Produces = [MediaTypes.DicomJson, MediaTypes.DicomXml, MediaTypes.Json], Parameters = [Accept], Statuses = Stored };

    private static Operation Retrieve(string path, string name, string summary, params string[] produces) =>
        new("GET", path, name, summary) { Produces = produces, Parameters = [Accept], Statuses = Retrieved };

    private static string Multipart(string type) => $"multipart/related; type=\"{type}\"";
}
