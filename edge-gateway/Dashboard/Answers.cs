using System.Text.Json.Serialization.Metadata;

namespace DicomServerless.EdgeGateway.Dashboard;

/// <summary>The answers of the API.</summary>
internal static class Answers
{
    /// <summary>The media type of refusals (RFC 9457).</summary>
    public const string ProblemType = "application/problem+json";

    /// <summary>200 with JSON.</summary>
    public static IResult Ok<T>(T value, JsonTypeInfo<T> type) => Results.Json(value, type);

    /// <summary>400: a parameter is wrong.</summary>
    public static IResult Wrong(string parameter, string detail) => Problem(StatusCodes.Status400BadRequest, "A parameter is wrong", detail, parameter);

    /// <summary>404: there is nothing of that name.</summary>
    public static IResult NotFound(string detail) => Problem(StatusCodes.Status404NotFound, "Not found", detail);

    /// <summary>Any other refusal.</summary>
    public static IResult Problem(int status, string title, string detail, string? parameter = null) =>
        Results.Json(new ApiProblem(title, status, detail, parameter), ApiJson.Default.ApiProblem, ProblemType, status);
}
