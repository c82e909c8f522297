using DicomServerless.Functions.Media;

namespace DicomServerless.Functional.Media;

/// <summary>D0.3 to D0.6: what clients write in Accept, and what they get.</summary>
public sealed class AcceptTests
{
    private static readonly Representation MultipartDicom = Representation.Multipart("application/dicom"),
        MultipartOctets = Representation.Multipart("application/octet-stream"),
        MultipartJls = Representation.Multipart("image/jls"), Json = Representation.Single("application/dicom+json"),
            Octets = Representation.Single("application/octet-stream"),
        Dicom = Representation.Single("application/dicom");

    [Theory]
    [InlineData(null)] // absent is */* (a declared deviation)
    [InlineData("")]
    [InlineData("*/*")]
    [InlineData("*")]
    [InlineData("multipart/*")]
    [InlineData("multipart/related")]
    [InlineData("multipart/related; type=application/dicom")]
    [InlineData("multipart/related;type=\"application/dicom\"")]
    [InlineData("Multipart/Related ; TYPE = \"Application/DICOM\"")]
    [InlineData("  multipart/related\t;\ttype=application/dicom  ;  boundary=xyz")]
    [InlineData("multipart/related; type=\"application/dicom\"; transfer-syntax=*")]
    [InlineData("text/html, multipart/related; type=\"application/dicom\"")]
    [InlineData("garbage, multipart/related; type=application/dicom")]
    [InlineData(";;;, ,=, multipart/related; type=application/dicom")]
    [InlineData("application/dicom;q=0.1, multipart/related; type=application/dicom;q=0.5")]
    [InlineData("multipart/related; type=\"application/*\"")]
    [InlineData("multipart/related; type=\"a, b; c\", multipart/related; type=application/dicom")]
    [InlineData("multipart/related; type=application/dicom; q=abc")] // no number counts as 1
    public void Multipart_dicom_is_chosen_for(string? header) => Assert.Equal(MultipartDicom, Choose(header, MultipartDicom, Dicom));

    [Theory]
    [InlineData("application/dicom")]
    [InlineData("APPLICATION/DICOM; transfer-syntax=\"*\"")]
    [InlineData("application/dicom, multipart/related; type=application/dicom")] // equal weight: in the order written
    [InlineData("multipart/related; type=application/dicom;q=0.2, application/dicom;q=0.9")]
    [InlineData("*/*;q=0.1, application/dicom")]
    [InlineData("*/*, multipart/related;q=0")]
    [InlineData("application/*")]
    public void Single_dicom_is_chosen_for(string header) => Assert.Equal(Dicom, Choose(header, MultipartDicom, Dicom));

    [Theory]
    [InlineData("text/html")]
    [InlineData("garbage")]
    [InlineData("multipart/related; type=\"application/dicom+xml\"")]
    [InlineData("multipart/related; type=application/octet-stream")]
    [InlineData("application/dicom;q=0, multipart/related;type=application/dicom;q=0.0")]
    [InlineData("image/*")]
    [InlineData("multipart/form-data")]
    public void Nothing_fits(string header) => Assert.Null(Choose(header, MultipartDicom, Dicom));

    [Theory]
    [InlineData("application/dicom+json, multipart/related; type=application/octet-stream; transfer-syntax=*")] // OHIF 3.7
    [InlineData("multipart/related; type=application/octet-stream; transfer-syntax=*, application/dicom+json")]
    [InlineData("application/dicom+json; charset=utf-8; transfer-syntax=*")]
    public void Json_is_found_among_what_old_viewers_send(string header) => Assert.Equal(Json, Choose(header, Json));

    [Fact]
    public void Slides_ask_frames_with_a_long_list_and_get_the_first_that_there_is()
    {
        const string header = "multipart/related; type=\"image/jls\"; transfer-syntax=\"1.2.840.10008.1.2.4.80\", multipart/related; type=\"image/jp2\", "
            + "multipart/related; type=\"application/octet-stream\"; transfer-syntax=\"*\"";
        Assert.Equal(MultipartJls, Choose(header, MultipartOctets, MultipartJls));
        Assert.Equal(MultipartOctets, Choose(header, MultipartOctets));
    }

    [Theory]
    [InlineData("image/x-jls")]
    [InlineData("image/jls")]
    [InlineData("image/*")]
    public void Old_names_of_part_types_are_understood(string type) => Assert.Equal(MultipartJls, Choose($"multipart/related; type=\"{type}\"", MultipartJls));

    [Fact]
    public void Headers_add_up() => Assert.Equal(Octets, Accept.Read([], ["text/html", "application/octet-stream;q=0.3"]).Choose(MultipartDicom, Octets));

    [Fact]
    public void The_query_parameter_comes_first()
    {
        Assert.Equal(Json, Accept.Read(["application/dicom+json"], ["multipart/related; type=application/octet-stream"]).Choose(MultipartOctets, Json));
        Assert.Equal(MultipartOctets, Accept.Read(["text/html"], ["*/*"]).Choose(MultipartOctets, Json));
    }

    [Fact]
    public void An_unescaped_plus_in_the_query_is_a_plus() => Assert.Equal(Json, Accept.Read(["application/dicom json"], []).Choose(Json));

    [Theory]
    [InlineData("multipart/related; type=application/octet-stream; transfer-syntax=*", "*")]
    [InlineData("multipart/related; type=application/octet-stream; transfer-syntax=\"1.2.840.10008.1.2.1\"", "1.2.840.10008.1.2.1")]
    [InlineData("multipart/related; Transfer-Syntax = 1.2 ; type=x/y", "1.2")]
    [InlineData("multipart/related; transfer-syntax=", null)]
    public void The_transfer_syntax_is_read(string header, string? expected) =>
        Assert.Equal(expected, Accept.Read([], [header]).Alternatives[0].TransferSyntax);

    [Fact]
    public void A_huge_header_is_cut_not_believed() =>
        Assert.True(Accept.Read([], [string.Join(',', Enumerable.Repeat("a/b", 10_000))]).Alternatives.Count <= 64);

    private static Representation? Choose(string? header, params Representation[] offers) => Accept.Read([], header is null ? [] : [header]).Choose(offers);
}
