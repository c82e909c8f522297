using System.ComponentModel.DataAnnotations;

namespace DicomServerless.Functions.Hosting;

/// <summary>How console lines look.</summary>
public enum LogFormat
{
    /// <summary>Text.</summary>
    Simple,
    /// <summary>One JSON object a line.</summary>
    Json,
}

/// <summary>Options of the HTTP side, section <c>Http</c>.</summary>
public sealed class HttpOptions
{
    /// <summary>
    /// Where to listen outside the Functions host; several with semicolons. Default http://127.0.0.1:7071. Under the Functions host it is not used.
    /// </summary>
    public string Urls { get; set; } = "http://127.0.0.1:7071";

    /// <summary>
    /// The URL under which clients reach this application's root, such as https://dicom.example.org/pacs; null to take it from each request. Default null.
    /// </summary>
    public string? PublicUrl { get; set; }

    /// <summary>A path in front of every route, for a proxy that does not strip it, such as /pacs. Default none.</summary>
    public string PathBase { get; set; } = "";

    /// <summary>Addresses or networks (10.0.0.0/8) of proxies whose X-Forwarded headers count, with commas; loopback always counts. Default none.</summary>
    public string TrustedProxies { get; set; } = "";

    /// <summary>
    /// The largest body of a store request. Bytes, 1,048,576 to 1,099,511,627,776. Default 17,179,869,184; under the Functions host its own limit is smaller.
    /// </summary>
    [Range(1_048_576L, 1_099_511_627_776L, ErrorMessage = "Http:MaxBodyBytes must be 1048576 to 1099511627776 bytes.")]
    public long MaxBodyBytes { get; set; } = 16L << 30;

    /// <summary>
    /// The longest request line, that is, method, URL and version: lists of frames and UIDs are long. Bytes, 8,192 to 1,048,576. Default 131,072; a longer one
    /// is 414.
    /// Proxies in front have limits of their own.
    /// </summary>
    [Range(8_192, 1_048_576, ErrorMessage = "Http:MaxUrlBytes must be 8192 to 1048576 bytes.")]
    public int MaxUrlBytes { get; set; } = 131_072;

    /// <summary>
    /// How slowly a body may be sent or taken, as an average over its whole time. Bytes a second, 1 to 1,000,000. Default 50. A slower one is 408, or is cut
    /// off.
    /// </summary>
    [Range(1, 1_000_000, ErrorMessage = "Http:MinBytesPerSecond must be 1 to 1000000.")]
    public double MinBytesPerSecond { get; set; } = 50;

    /// <summary>How long a body may be slower than <see cref="MinBytesPerSecond"/> from its beginning on. Seconds, 2 to 3,600. Default 120.</summary>
    [Range(2, 3_600, ErrorMessage = "Http:SlowSeconds must be 2 to 3600 seconds.")]
    public double SlowSeconds { get; set; } = 120;

    /// <summary>
    /// Whether a search with a parameter that is no known attribute is 400. Otherwise the parameter is ignored with a Warning (PS3.18 8.3.4), so that a
    /// misspelt key finds everything.
    /// Default false.
    /// </summary>
    public bool RefuseUnknownKeys { get; set; }

    /// <summary>
    /// How many requests are worked on at the same time: with <c>Archive:UploadMemoryMiB</c> and <c>Archive:ReadAhead</c> this bounds the memory. A quarter as
    /// many objects of <c>/uploads</c> are stored beside them, whose requests may have ended. 1 to 10,000. Default 64.
    /// </summary>
    [Range(1, 10_000, ErrorMessage = "Http:MaxRequests must be 1 to 10000.")]
    public int MaxRequests { get; set; } = 64;

    /// <summary>How many more may wait for their turn; those beyond are 503 with Retry-After. 0 to 100,000. Default 1,000.</summary>
    [Range(0, 100_000, ErrorMessage = "Http:MaxWaitingRequests must be 0 to 100000.")]
    public int MaxWaitingRequests { get; set; } = 1_000;

    /// <summary>Whether JSON is compressed for clients that take it. Default true.</summary>
    public bool CompressJson { get; set; } = true;

    /// <summary>
    /// The key that cursors of searches are encrypted with, the same for every instance; null to derive it from a secret in the container <c>derived</c>. 32
    /// bytes, base64 in the configuration. Default null.
    /// </summary>
    public byte[]? CursorKey { get; set; }

    /// <summary>How lines of the log look. Default Simple.</summary>
    public LogFormat LogFormat { get; set; } = LogFormat.Simple;

    /// <summary>How long a request waits for the stores to be made when the application has just started. Seconds, 0 to 120. Default 20.</summary>
    [Range(0, 120, ErrorMessage = "Http:StartWaitSeconds must be 0 to 120 seconds.")]
    public double StartWaitSeconds { get; set; } = 20;

    /// <summary>
    /// Origins (https://viewer.example.org) whose pages may call from a browser, with commas; * for any, then without cookies. Default none: only pages of our
    /// own origin.
    /// </summary>
    public string CorsOrigins { get; set; } = "";

    /// <summary>
    /// Whether what is in front of this program answers preflight requests and says which origins may call, as Azure Functions does. Then this program only
    /// names the headers that pages may read, which the platform does not. Default false.
    /// </summary>
    public bool CorsByPlatform { get; set; }

    /// <summary>How long a browser keeps the answer to a preflight request: each frame's URL would need one. Seconds, 0 to 86,400. Default 7,200.</summary>
    [Range(0, 86_400, ErrorMessage = "Http:CorsMaxAgeSeconds must be 0 to 86400 seconds.")]
    public int CorsMaxAgeSeconds { get; set; } = 7_200;

    internal string[] Origins => CorsOrigins.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
